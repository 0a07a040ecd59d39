"""Visits and events that are merged into parts, for tests: however few and young they are."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from service.events.merging import MergeLimits as EventLimits
from service.visits.merging import MergeLimits, VisitMerger

LATER = datetime(2100, 1, 1, tzinfo=UTC)
ALWAYS = MergeLimits(
    visits=1, age=timedelta(0), least=1, most=4, small=3, small_parts=2, large=6, pause=timedelta(days=1)
)
# All that is shown of visits, whichever way they are stored.
VIEW = """
    SELECT
        occurred_at, id, position, source, kind, host(address), country, category_id, product_id, user_id,
        cart_id, goods_id, amount, import_id, page_url, buyer_id, method, status, bytes, referrer, agent,
        browser, os, device, traffic
    FROM visit ORDER BY occurred_at, id
"""
EVENTS_OFTEN = EventLimits(batches=2, events=50, most=30, small=40, small_parts=2)


async def merge_visits(db: Database, *, limits: MergeLimits = ALWAYS) -> None:
    """Merge all live visits that a part can show, and small parts."""
    await VisitMerger(db, lambda: LATER, limits).merge()
