"""Stores classified visits with everything that is derived from them, in the caller's transaction.

The order in which tables are written is the same for all writers, and so is the order of rows in each:
writers wait for each other, but never in a circle.
"""

import asyncio
from dataclasses import dataclass

import polars as pl

from clients.geo import Geo
from db.database import Transaction
from db.locks import lock_writers_shared
from db.queries import carts, visits
from db.queries.countries import select_countries

ROW = (
    "occurred_at",
    "request_id",
    "position",
    "source",
    "kind",
    "address",
    "country",
    "category_id",
    "product_id",
    "user_id",
    "cart_id",
    "goods_id",
    "amount",
    "import_id",
    "page_url",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Visits, in the columns of `visit`, and the same as they are copied into it."""

    visits: pl.DataFrame
    copied: list[memoryview]


async def name_pages(session: Transaction, parsed: pl.DataFrame) -> pl.DataFrame:
    """The pages that are named, with the ids of their names: category, product, category_id, product_id.

    Names are made where they are new, and for good, in a transaction that holds nothing else: nobody waits
    for visits because of a name.
    """
    pages = parsed.select("category", "product").drop_nulls("category").unique()
    category_ids = await visits.category_ids(session, pages["category"].unique().to_list())
    names = [
        (category_ids[category], product) for category, product in pages.iter_rows() if product is not None
    ]
    product_ids = await visits.product_ids(session, sorted(names)) if names else {}
    return pl.DataFrame(
        [
            (category, product, category_ids[category], product_ids.get((category_ids[category], product)))
            for category, product in pages.iter_rows()
        ],
        schema={
            "category": pl.String,
            "product": pl.String,
            "category_id": pl.Int32,
            "product_id": pl.Int32,
        },
        orient="row",
    )


def make_rows(
    parsed: pl.DataFrame, pages: pl.DataFrame, *, geo: Geo, source: str, import_id: int | None
) -> Rows:
    """Classified visits (columns of log_columns.VISIT_COLUMNS) as rows, with the ids of `pages`."""
    rows = (
        parsed.join(pages, on=["category", "product"], how="left", nulls_equal=True, maintain_order="left")
        .join(countries_of(parsed["address"], geo), on="address", how="left", maintain_order="left")
        .with_columns(source=pl.lit(source), import_id=pl.lit(import_id, pl.Int64))
        .select(ROW)
    )
    return Rows(rows, visits.as_rows(rows))


async def insert(session: Transaction, rows: Rows) -> pl.DataFrame:
    """Insert visits. Returns those that are new, as rows.

    Of one process's transactions, one at a time may be in here; others may wait, in their order, to `derive`.
    """
    await lock_writers_shared(session)
    located = await locate_again(session, rows)
    return await visits.insert_visits(session, located.visits, located.copied)


async def locate_again(session: Transaction, rows: Rows) -> Rows:
    """The rows with the countries that addresses have been given later, where data on disk knew none."""
    lost = rows.visits.filter(pl.col("country").is_null())["address"].drop_nulls().unique()
    found = await select_countries(session, lost.to_list())
    if not found:
        return rows
    given = pl.col("address").replace_strict(found, default=None, return_dtype=pl.String)
    located = rows.visits.with_columns(country=pl.coalesce("country", given))
    return Rows(located, await asyncio.to_thread(visits.as_rows, located))


async def derive(session: Transaction, new: pl.DataFrame) -> None:
    """Add newly inserted visits (as `insert` returns them) to all that follows from visits."""
    if new.is_empty():
        return
    await visits.insert_addresses(session, new)
    await visits.add_to_rollups(session, new)
    await carts.merge_visits(session, new)


def countries_of(addresses: pl.Series, geo: Geo) -> pl.DataFrame:
    """The distinct addresses (columns address, country); country is null where there is none."""
    distinct = addresses.drop_nulls().unique()
    countries = pl.Series("country", [geo.country(address) for address in distinct], dtype=pl.String)
    return pl.DataFrame([distinct, countries])
