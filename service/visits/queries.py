"""Visits as they are read: lists, exports, and how many there are by group."""

import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.database import Database, Transaction
from db.queries import visit_list as queries
from db.queries.live_visits import select_live_visits
from db.queries.visit_list import VisitFilter, VisitRow
from db.queries.visit_stats import select_visit_counts
from service.calendar_days import instant_of
from service.errors import NotFound
from service.visits.ids import log_line_id, read_log_line_id

GROUPS = {"page": "page_url", "user": "user_id"}  # names of groups, where it is not the group's own


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as it is told. (timestamp, key) orders visits and tells them apart."""

    id: str
    timestamp: datetime
    page_url: str
    user_id: int | None
    country: str | None
    source: str
    kind: str
    category: str | None
    product: str | None
    key: str


@dataclass(frozen=True, slots=True)
class VisitCount:
    """Visits of one group: `group` has a value for each of the groups asked for, by name."""

    group: dict[str, Any]
    visits: int
    visitors: int
    first: datetime
    last: datetime
    place: int  # in the whole list, from 1


async def get_visit(db: Database, visit_id: uuid.UUID) -> Visit:
    """The visit of an id, live or of the log. Raises NotFound."""
    line = read_log_line_id(visit_id)
    async with db.transaction() as session:
        row = (await select_live_visits(session, [str(visit_id)])).get(str(visit_id))
        if row is None and line is not None:
            row = await queries.select_log_line(session, *line)
    if row is None:
        raise NotFound(f"no visit {visit_id}")
    return visit_of(row)


async def list_visits(
    db: Database,
    *,
    category: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
    offset: int,
    **wanted: Any,
) -> list[Visit]:
    """Newest first, from the key `after` on; one more than `limit`. `wanted` are fields of VisitFilter."""
    async with db.transaction() as session:
        asked = await find_filter(session, category, wanted)
        if asked is None:
            return []
        rows = await queries.select_visits(session, asked, after=after, limit=limit + 1, offset=offset)
    return [visit_of(row) for row in rows]


async def export_visits(db: Database, *, category: str | None, **wanted: Any) -> AsyncGenerator[list[Visit]]:
    """All visits that pass the filter, as they are at one moment, newest first, some at a time."""
    async with db.dedicated() as session:
        asked = await find_filter(session, category, wanted)
        if asked is None:
            return
        async for rows in queries.select_all_visits(session, asked):
            yield [visit_of(row) for row in rows]


async def count_visits(
    db: Database,
    *,
    group_by: Sequence[str] | None,
    tz: str,
    category: str | None,
    after: tuple[int] | None,
    limit: int,
    offset: int,
    **wanted: Any,
) -> list[VisitCount]:
    """Visits by up to two of GROUPS, most first, from place `after` on; one more than `limit`."""
    group_by = group_by or ()
    skipped = after[0] if after else offset
    async with db.transaction() as session:
        asked = await find_filter(session, category, wanted)
        if asked is None:
            return []
        rows = await select_visit_counts(session, asked, group_by, tz, limit=limit + 1, offset=skipped)
    return [visit_count(group_by, tz, skipped + place, row) for place, row in enumerate(rows, 1)]


def visit_count(group_by: Sequence[str], tz: str, place: int, row: Sequence[Any]) -> VisitCount:
    *found, visits, visitors, first, last = row
    groups = zip(group_by, found, strict=True)
    return VisitCount(
        {GROUPS.get(name, name): instant_of(value, tz) for name, value in groups},
        visits,
        visitors,
        first,
        last,
        place,
    )


async def find_filter(
    session: Transaction, category: str | None, wanted: dict[str, Any]
) -> VisitFilter | None:
    """The filter with the category's id; None if there is no such category."""
    if category is None:
        return VisitFilter(**wanted)
    category_id = await queries.select_category_id(session, category)
    return None if category_id is None else VisitFilter(**wanted, category_id=category_id)


def visit_of(row: VisitRow) -> Visit:
    key = row.request_id
    return Visit(
        id=log_line_id(row.occurred_at, key) if row.source == "log" else key,
        timestamp=row.occurred_at,
        page_url=row.page_url,
        user_id=row.user_id,
        country=row.country,
        source=row.source,
        kind=row.kind,
        category=row.category,
        product=row.product,
        key=key,
    )
