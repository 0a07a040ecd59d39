"""Takes deleted visits away from what is derived from visits: roll-ups, carts and goods.

All of it happens in the caller's transaction. All writers write the tables in the same order, and the rows of
each table in the order of their keys: they wait for each other, but never in a circle.
"""

import polars as pl

from db.database import Transaction
from db.queries import carts
from db.queries import visits as queries
from service.visits.pages import is_bare_path


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
