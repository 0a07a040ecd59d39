"""Exports of visits: all of one snapshot, as columns."""

from collections.abc import AsyncGenerator
from typing import Any

from db.database import Database
from db.queries.visit_list import live_batches
from service.columns.export_windows import VisitColumns
from service.columns.exports import export_columns
from service.columns.matching import part_filter
from service.columns.snapshot import open_long_snapshot
from service.columns.store import ColumnStore
from service.visits.filters import make_filter


async def export_visits(
    db: Database, store: ColumnStore, *, category: str | None, **filters: Any
) -> AsyncGenerator[VisitColumns]:
    """Yield all visits of one snapshot that pass the filter, newest first, in batches."""
    async with open_long_snapshot(db, store) as snapshot:
        visit_filter = await make_filter(snapshot.raw, category, filters)
        if visit_filter is None:
            return
        criteria = await part_filter(snapshot, visit_filter)
        spans = [] if criteria is None else await snapshot.spans_of(visit_filter)
        live = live_batches(snapshot.raw, visit_filter) if visit_filter.lets_live_through else None
        async for columns in export_columns(snapshot, criteria, spans, live):
            yield columns
