"""Inserts visits of logs, and updates what is derived from visits: addresses, roll-ups, carts and goods.

All of it happens in the caller's transaction. All writers write the tables in the same order, and the rows of
each table in the order of their keys: they wait for each other, but never in a circle.
"""

import asyncio
from dataclasses import dataclass

import polars as pl

from clients.geo import Geo
from db.database import Transaction
from db.locks import lock_writers_shared
from db.queries import carts, names
from db.queries import visits as queries
from db.queries.countries import select_countries
from db.visit_frame import COLUMNS, schema_of
from service.visits.pages import is_bare_path


@dataclass(frozen=True, slots=True)
class EncodedVisits:
    """Visits as a frame of `db.visit_frame.COLUMNS`, and the same encoded for COPY."""

    frame: pl.DataFrame
    pieces: list[memoryview]


async def ensure_page_ids(session: Transaction, visits: pl.DataFrame) -> pl.DataFrame:
    """Insert the names of the visits' pages that are new, and return all with their ids.

    Columns: category, product, category_id, product_id. The transaction should do nothing else: names stay
    for good, and nobody should wait for visits because of a name.
    """
    pages: list[tuple[str, str | None]] = (
        visits.select("category", "product").drop_nulls("category").unique().rows()
    )
    await names.insert_names(session, pages)
    category_ids = await names.select_category_ids(session, sorted({category for category, _ in pages}))
    products = [(category_ids[category], product) for category, product in pages if product is not None]
    product_ids = await names.select_product_ids(session, products)
    rows = []
    for category, product in pages:
        category_id = category_ids[category]
        product_id = None if product is None else product_ids[category_id, product]
        rows.append((category, product, category_id, product_id))
    schema = {"category": pl.String, "product": pl.String, **schema_of("category_id", "product_id")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def encode(
    visits: pl.DataFrame, pages: pl.DataFrame, *, geo: Geo, source: str, import_id: int | None
) -> EncodedVisits:
    """Encode visits for `insert`, with their countries and the ids of their pages.

    :param visits: parsed visits, with logs.columnar.VISIT_COLUMNS
    :param pages: the pages of all of them, as `ensure_page_ids` returns them
    """
    frame = (
        visits.join(pages, on=["category", "product"], how="left", nulls_equal=True, maintain_order="left")
        .join(countries_of(visits["address"], geo), on="address", how="left", maintain_order="left")
        .with_columns(source=pl.lit(source), import_id=pl.lit(import_id, pl.Int64))
        .select(*COLUMNS)
    )
    return EncodedVisits(frame, queries.encode_visits(frame))


async def insert(session: Transaction, visits: EncodedVisits) -> pl.DataFrame:
    """Insert visits, and return those that are new.

    Only one transaction of a process may be in here at a time. Others may wait, in their order, to `add`.
    """
    await lock_writers_shared(session)
    visits = await set_backfilled_countries(session, visits)
    return await queries.insert_visits(session, visits.frame, visits.pieces)


async def set_backfilled_countries(session: Transaction, visits: EncodedVisits) -> EncodedVisits:
    """Set the countries that the data on disk do not know, but a service did when it was asked."""
    addresses = visits.frame.filter(pl.col("country").is_null())["address"].drop_nulls().unique()
    countries = await select_countries(session, addresses.to_list())
    if not countries:
        return visits
    backfill = pl.col("address").replace_strict(countries, default=None, return_dtype=pl.String)
    frame = visits.frame.with_columns(country=pl.coalesce("country", backfill))
    return EncodedVisits(frame, await asyncio.to_thread(queries.encode_visits, frame))


async def add(session: Transaction, visits: pl.DataFrame) -> None:
    """Add newly inserted visits, as `insert` returns them, to all that is derived from visits."""
    if visits.is_empty():
        return
    await queries.insert_addresses(session, visits)
    await queries.add_to_rollups(session, visits)
    await carts.merge_visits(session, visits)


async def subtract(session: Transaction, visits: pl.DataFrame) -> None:
    """Subtract deleted visits from roll-ups, page views and carts. The caller is the only writer.

    When all visits are deleted, `goods.reinfer_goods` and `removal.delete_unvisited_addresses` do the rest.
    """
    if visits.is_empty():
        return
    await queries.subtract_from_rollups(session, visits)
    live = visits.filter(pl.col("source") != "log")
    await queries.subtract_page_views(session, filter(is_bare_path, live["page_url"]))
    cart_ids = visits["cart_id"].drop_nulls().unique().sort().to_list()
    if cart_ids:
        await carts.rebuild_carts(session, cart_ids)


def countries_of(addresses: pl.Series, geo: Geo) -> pl.DataFrame:
    """Return the distinct addresses with their countries: columns address, country (null where unknown)."""
    distinct = addresses.drop_nulls().unique()
    countries = pl.Series("country", [geo.country(address) for address in distinct], dtype=pl.String)
    return pl.DataFrame([distinct, countries])
