"""Visits and events that are merged into parts, for tests: however few and young they are."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from service.events.merging import MergeLimits as EventLimits
from service.visits.merging import MergeLimits, VisitMerger

LATER = datetime(2100, 1, 1, tzinfo=UTC)
ALWAYS = MergeLimits(
    visits=1, age=timedelta(0), least=1, most=4, small=3, small_parts=2, large=6, pause=timedelta(days=1)
)
EVENTS_OFTEN = EventLimits(batches=2, events=50, most=30, small=40, small_parts=2)


async def merge_visits(db: Database, *, limits: MergeLimits = ALWAYS) -> None:
    """Merge all live visits that a part can show, and small parts."""
    await VisitMerger(db, lambda: LATER, limits).merge()
