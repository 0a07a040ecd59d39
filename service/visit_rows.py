"""Stores classified visits with everything that is derived from them, in the caller's transaction.

The order in which tables are written is the same for all writers, and so is the order of rows in each:
writers wait for each other, but never in a circle.
"""

import polars as pl

from clients.geo import Geo
from db.database import Transaction
from db.queries import carts, visits

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


def locate(visits: pl.DataFrame, geo: Geo) -> pl.DataFrame:
    """The visits with the `country` of their addresses; null where there is none."""
    distinct = visits["address"].drop_nulls().unique()
    countries = pl.Series("country", [geo.country(address) for address in distinct], dtype=pl.String)
    return visits.join(pl.DataFrame([distinct, countries]), on="address", how="left", maintain_order="left")


async def insert(
    session: Transaction, located: pl.DataFrame, *, source: str, import_id: int | None
) -> pl.DataFrame:
    """Insert visits (columns of log_columns.VISIT_COLUMNS, and country). Returns those that are new.

    Of one process's transactions, one at a time may be in here; others may wait, in their order, to `derive`.
    """
    await visits.write_alongside(session)
    rows = (await name_pages(session, located)).with_columns(
        source=pl.lit(source), import_id=pl.lit(import_id, pl.Int64)
    )
    return await visits.insert_visits(session, rows.select(ROW))


async def derive(session: Transaction, new: pl.DataFrame) -> None:
    """Add newly inserted visits (as `insert` returns them) to all that follows from visits."""
    if new.is_empty():
        return
    await visits.insert_addresses(session, new.select("address", "country").drop_nulls("address").unique())
    await visits.add_to_rollups(session, new)
    await carts.merge_visits(session, new)


async def name_pages(session: Transaction, parsed: pl.DataFrame) -> pl.DataFrame:
    """The visits with `category_id` and `product_id` in place of the names."""
    pages = parsed.select("category", "product").drop_nulls("category").unique()
    category_ids = await visits.category_ids(session, pages["category"].unique().to_list())
    names = [
        (category_ids[category], product) for category, product in pages.iter_rows() if product is not None
    ]
    product_ids = await visits.product_ids(session, sorted(names)) if names else {}
    ids = pl.DataFrame(
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
    return parsed.join(ids, on=["category", "product"], how="left", nulls_equal=True, maintain_order="left")
