"""Stores classified visits with everything that is derived from them, in the caller's transaction."""

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


async def store_visits(
    session: Transaction, parsed: pl.DataFrame, *, geo: Geo, source: str, import_id: int | None
) -> int:
    """Store visits (columns of log_columns.VISIT_COLUMNS). Returns how many of them were new.

    The order in which tables are written is the same for all writers, and so is the order of rows in each:
    writers wait for each other, but never in a circle.
    """
    if parsed.is_empty():
        return 0
    await visits.write_alongside(session)
    rows = await name_pages(session, parsed)
    countries = countries_of(parsed["address"], geo)
    rows = rows.join(countries, on="address", how="left").with_columns(
        source=pl.lit(source), import_id=pl.lit(import_id, pl.Int64)
    )
    new = await visits.insert_visits(session, rows.select(ROW))
    await visits.insert_addresses(session, countries.join(new, on="address", how="semi"))
    await visits.add_to_rollups(session, new)
    await carts.merge_visits(session, new)
    return new.height


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
    return parsed.join(ids, on=["category", "product"], how="left", nulls_equal=True)


def countries_of(addresses: pl.Series, geo: Geo) -> pl.DataFrame:
    """The distinct addresses (columns address, country); country is null where there is none."""
    distinct = addresses.drop_nulls().unique().sort()
    countries = pl.Series("country", [geo.country(address) for address in distinct], dtype=pl.String)
    return pl.DataFrame([distinct, countries])
