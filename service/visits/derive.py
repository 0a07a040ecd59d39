"""Takes deleted visits away from what is derived from visits: roll-ups, carts and goods.

All of it happens in the caller's transaction. All writers write the tables in the same order, and the rows of
each table in the order of their keys: they wait for each other, but never in a circle.
"""

from collections.abc import Sequence

from db.database import Transaction
from db.queries import carts
from db.queries import visits as queries
from db.sessions import AnyRow
from service.visits.pages import is_bare_path


async def subtract(session: Transaction, visits: Sequence[AnyRow]) -> None:
    """Subtract deleted live visits from roll-ups, page views and carts. The caller is the only writer.

    When all visits are deleted, `goods.reinfer_goods` and `removal.delete_unvisited_addresses` do the rest.
    """
    if not visits:
        return
    await queries.subtract_from_rollups(session, visits)
    await queries.subtract_page_views(session, filter(is_bare_path, [visit.page_url for visit in visits]))
    cart_ids = sorted({visit.cart_id for visit in visits if visit.cart_id is not None})
    if cart_ids:
        await carts.rebuild_carts(session, cart_ids)
