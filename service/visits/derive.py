"""Stores visits of logs, and keeps right all that is derived from visits, in the caller's transaction.

All writers write the tables in the same order, and the rows of each table in the order of their keys: they
wait for each other, but never in a circle.
"""

import asyncio
from dataclasses import dataclass

import polars as pl

from clients.geo import Geo
from db.database import Transaction
from db.locks import lock_writers_shared
from db.queries import carts, names, visits
from db.queries.countries import select_countries
from db.visit_frame import COLUMNS, schema_of
from service.visits.pages import is_bare_path


@dataclass(frozen=True, slots=True)
class EncodedVisits:
    """Visits as a frame of `db.visit_frame.COLUMNS`, and the same as `visit` takes them by COPY."""

    frame: pl.DataFrame
    pieces: list[memoryview]


async def ensure_page_ids(session: Transaction, parsed: pl.DataFrame) -> pl.DataFrame:
    """Return the named pages of parsed visits with the ids of their names, inserting names that are new.

    Columns: category, product, category_id, product_id. The transaction should hold nothing else: names stay
    for good, and nobody waits for visits because of a name.
    """
    pages: list[tuple[str, str | None]] = (
        parsed.select("category", "product").drop_nulls("category").unique().rows()
    )
    await names.insert_names(session, pages)
    category_ids = await names.select_category_ids(session, sorted({category for category, _ in pages}))
    products = [(category_ids[category], product) for category, product in pages if product is not None]
    product_ids = await names.select_product_ids(session, products)
    return pl.DataFrame(
        [
            (
                category,
                product,
                category_id,
                product_ids[category_id, product] if product is not None else None,
            )
            for category, product in pages
            for category_id in (category_ids[category],)
        ],
        schema={"category": pl.String, "product": pl.String, **schema_of("category_id", "product_id")},
        orient="row",
    )


def encode(
    parsed: pl.DataFrame, pages: pl.DataFrame, *, geo: Geo, source: str, import_id: int | None
) -> EncodedVisits:
    """Encode parsed visits (logs.columnar.VISIT_COLUMNS) with the ids of their pages and their countries."""
    frame = (
        parsed.join(pages, on=["category", "product"], how="left", nulls_equal=True, maintain_order="left")
        .join(countries_of(parsed["address"], geo), on="address", how="left", maintain_order="left")
        .with_columns(source=pl.lit(source), import_id=pl.lit(import_id, pl.Int64))
        .select(*COLUMNS)
    )
    return EncodedVisits(frame, visits.encode_visits(frame))


async def insert(session: Transaction, encoded: EncodedVisits) -> pl.DataFrame:
    """Insert visits, and return those that are new.

    Only one transaction of a process may be in here at a time. Others may wait, in their order, to `add`.
    """
    await lock_writers_shared(session)
    encoded = await set_stored_countries(session, encoded)
    return await visits.insert_visits(session, encoded.frame, encoded.pieces)


async def set_stored_countries(session: Transaction, encoded: EncodedVisits) -> EncodedVisits:
    """Set countries that the data on disk do not have, and that addresses have been given in the database."""
    without_country = encoded.frame.filter(pl.col("country").is_null())["address"].drop_nulls().unique()
    countries = await select_countries(session, without_country.to_list())
    if not countries:
        return encoded
    stored = pl.col("address").replace_strict(countries, default=None, return_dtype=pl.String)
    frame = encoded.frame.with_columns(country=pl.coalesce("country", stored))
    return EncodedVisits(frame, await asyncio.to_thread(visits.encode_visits, frame))


async def add(session: Transaction, new: pl.DataFrame) -> None:
    """Add newly inserted visits, as `insert` returns them, to all that is derived from visits."""
    if new.is_empty():
        return
    await visits.insert_addresses(session, new)
    await visits.add_to_rollups(session, new)
    await carts.merge_visits(session, new)


async def subtract(session: Transaction, deleted: pl.DataFrame) -> None:
    """Take deleted visits away from all that is derived from visits, but goods and addresses.

    Those are looked through once all visits are deleted: `goods.reinfer_goods`,
    `removal.delete_unvisited_addresses`. The caller is the only writer.
    """
    if deleted.is_empty():
        return
    await visits.subtract_from_rollups(session, deleted)
    live = deleted.filter(pl.col("source") != "log")
    await visits.subtract_page_views(session, filter(is_bare_path, live["page_url"]))
    cart_ids = deleted["cart_id"].drop_nulls().unique().sort().to_list()
    if cart_ids:
        await carts.rebuild_carts(session, cart_ids)


def countries_of(addresses: pl.Series, geo: Geo) -> pl.DataFrame:
    """Return the distinct addresses with their countries: columns address, country (null where unknown)."""
    distinct = addresses.drop_nulls().unique()
    countries = pl.Series("country", [geo.country(address) for address in distinct], dtype=pl.String)
    return pl.DataFrame([distinct, countries])
