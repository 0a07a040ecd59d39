"""Lists of visits; the newest by one statement, as long as the parts are those that this process knows.

Parts never change, so a list needs to be told of PostgreSQL only which live visits there are, and that no
part has come or gone, nor the country of an address changed. It asks both at once, which is one moment.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.database import Database
from db.queries.live_visits import Visit
from db.queries.newest_visits import FIRST, LAST, select_newest_live
from db.queries.visit_list import VisitFilter
from service.columns.known_parts import KnownParts
from service.columns.known_snapshot import NotKnown, known_snapshot, remember_parts
from service.columns.lists import Lines, newest_lines
from service.columns.matching import PartFilter, to_microseconds
from service.columns.snapshot import Snapshot, open_snapshot
from service.columns.store import ColumnStore
from service.visits.filters import make_filter
from service.visits.merged_list import FEW, Row, list_merged, live_of, oldest_needed, show_merged

Cursor = tuple[datetime, uuid.UUID]

VISIT_BYTES = 1500  # that a visit takes at most in memory, but for longer URLs


def is_of_times_alone(visit_filter: VisitFilter) -> bool:
    """Return whether a filter asks for nothing but times, so that no column of a part is read for it."""
    return visit_filter == VisitFilter(visit_filter.since, visit_filter.until)


@dataclass(frozen=True, slots=True)
class Page:
    """The visits after the cursor and `offset` more."""

    after: Cursor | None
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class CachedList:
    """A page at the moment of known parts: the same as long as the live visits of `oldest` and later are."""

    oldest: datetime
    live: Sequence[Row]
    visits: list[Visit]


async def list_page(
    db: Database, store: ColumnStore, category: str | None, filters: Mapping[str, Any], page: Page
) -> list[Visit]:
    """Return the visits of a page, newest first: the very same object perhaps as the time before.

    :param filters: fields of VisitFilter
    """
    visits = await list_known(db, store, category, filters, page)
    if visits is not None:
        return visits
    async with open_snapshot(db, store) as snapshot:
        visit_filter = await make_filter(snapshot.raw, category, filters)
        if visit_filter is None:
            return []
        rows = await list_merged(
            snapshot, visit_filter, after=page.after, limit=page.limit, offset=page.offset
        )
        if is_of_times_alone(visit_filter):
            await remember_parts(snapshot)
    return list(map(Visit._make, rows))


async def list_known(
    db: Database, store: ColumnStore, category: str | None, filters: Mapping[str, Any], page: Page
) -> list[Visit] | None:
    """Return the same if that takes nothing but what this process knows, and still holds; else None."""
    known, snapshot, need = store.parts, known_snapshot(db, store), page.offset + page.limit
    if known is None or snapshot is None or need > FEW:
        return None
    try:
        visit_filter = await make_filter(snapshot.raw, category, filters)
        if visit_filter is None or not is_of_times_alone(visit_filter):
            return None
        key, lines = (visit_filter.since, visit_filter.until, page), None
        cached: CachedList | None = known.lists.get(key)
        if cached is None:
            lines = await find_lines(snapshot, known, visit_filter, page)
            oldest = max(visit_filter.since or FIRST, oldest_needed(lines, need) or FIRST)
        else:
            oldest = cached.oldest
        begin = (LAST, "") if page.after is None else (page.after[0], str(page.after[1]))
        before = min(begin, (visit_filter.until or LAST, ""))  # no id comes before the empty one
        async with db.raw() as raw:
            moment, live = await select_newest_live(raw, since=oldest, before=before, limit=need)
        if moment != known.moment:
            return None
        if cached is not None and cached.live == live:
            return cached.visits
        lines = lines or await find_lines(snapshot, known, visit_filter, page)
        rows = await show_merged(snapshot, lines, live_of(live), page.offset, need)
    except NotKnown:
        return None
    visits = list(map(Visit._make, rows))
    known.lists.put(key, CachedList(oldest, live, visits), (len(live) + len(visits)) * VISIT_BYTES)
    return visits


async def find_lines(snapshot: Snapshot, known: KnownParts, visit_filter: VisitFilter, page: Page) -> Lines:
    """Return log lines that hold the newest of a page and of those before it."""
    criteria = PartFilter(to_microseconds(visit_filter.since), to_microseconds(visit_filter.until))
    spans = known.between(criteria.since, criteria.until)
    return await newest_lines(
        snapshot, criteria, after=page.after, limit=page.offset + page.limit, spans=spans
    )
