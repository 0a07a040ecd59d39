"""Visits as they are read: one, lists, exports, and how many there are in each group."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calendar_days import instant
from db.database import Database
from db.queries.live_visits import Visit, select_live_rows
from db.queries.merged_visits import select_merged_time
from service.columns.store import ColumnStore
from service.errors import NotFound
from service.visits.filters import make_filter
from service.visits.ids import log_line_time

Cursor = tuple[datetime, uuid.UUID]
GROUP_FIELDS = {"page": "page_url", "user": "user_id"}  # of groups whose field has another name


@dataclass(frozen=True, slots=True)
class PreviousCount:
    """What a group had in the equally long period before."""

    visits: int
    visitors: int


@dataclass(frozen=True, slots=True)
class VisitCount:
    """The visits of one group: `group` has a value for each field that visits are grouped by."""

    group: dict[str, Any]
    visits: int
    visitors: int
    first: datetime | None
    last: datetime | None
    place: int  # in the whole list, from 1
    previous: PreviousCount | None = None


async def get_visit(db: Database, store: ColumnStore, visit_id: uuid.UUID) -> Visit:
    """Return a visit, live or of a log.

    :raises NotFound: no visit has the id
    """
    async with db.raw() as raw:
        rows = await select_live_rows(raw, [str(visit_id)])
        # Later than the rows: a visit that is merged meanwhile is found in its part.
        merged_at = None if rows else await select_merged_time(raw, visit_id)
    row: Sequence[Any] | None = tuple(rows[0]) if rows else None
    at = log_line_time(visit_id) if merged_at is None else merged_at
    if row is None and at is not None:
        from service.columns.lists import find_visit
        from service.columns.snapshot import open_snapshot

        async with open_snapshot(db, store) as snapshot:
            row = await find_visit(snapshot, at, visit_id)
    if row is None:
        raise NotFound(f"no visit {visit_id}")
    return Visit(*row)


async def find_log_line_ids(db: Database, store: ColumnStore, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of the ids that log lines have."""
    times = {visit_id: at for visit_id in ids if (at := log_line_time(visit_id)) is not None}
    if not times:  # nearly always: ids that clients make have another version
        return set()
    from service.columns.lists import find_log_lines
    from service.columns.snapshot import open_snapshot

    async with open_snapshot(db, store) as snapshot:
        return await find_log_lines(snapshot, times)


async def list_visits(
    db: Database,
    store: ColumnStore,
    *,
    category: str | None,
    after: Cursor | None,
    limit: int,
    offset: int,
    **filters: Any,
) -> list[Visit]:
    """List visits, newest first, that come after the key `after`; one more than `limit`.

    What has not changed is the very same object perhaps as the time before.

    :param filters: fields of VisitFilter
    """
    from service.visits.lists import Page, list_page

    return await list_page(db, store, category, filters, Page(after, limit + 1, offset))


async def count_visits(
    db: Database,
    store: ColumnStore,
    *,
    group_by: Sequence[str] | None,
    tz: str,
    compare: str | None = None,
    category: str | None,
    after: tuple[int] | None,
    limit: int,
    offset: int,
    **filters: Any,
) -> list[VisitCount]:
    """Count visits by up to two groups, most visits first, after the place `after`; one more than `limit`.

    :param compare: if given, count each group in the equally long period before, too
    """
    from service.columns.counts import NO_VISITS, list_counts
    from service.columns.snapshot import open_snapshot

    group_by = group_by or ()
    offset = after[0] if after else offset
    async with open_snapshot(db, store) as snapshot:
        visit_filter = await make_filter(snapshot.raw, category, filters)
        if visit_filter is None:
            rows = [] if group_by or offset else [NO_VISITS]
        else:
            rows = await list_counts(
                snapshot,
                visit_filter,
                group_by,
                tz,
                limit=limit + 1,
                offset=offset,
                compare=compare is not None,
            )
    names = [GROUP_FIELDS.get(name, name) for name in group_by]
    return [
        VisitCount(
            group=dict(zip(names, row.values, strict=True)),
            visits=row.visits,
            visitors=row.visitors,
            first=None if row.first is None else instant(row.first),
            last=None if row.last is None else instant(row.last),
            place=place,
            previous=None if compare is None else PreviousCount(*previous),
        )
        for place, (row, previous) in enumerate(rows, offset + 1)
    ]
