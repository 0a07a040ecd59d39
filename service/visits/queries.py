"""Visits as they are read: one, lists, exports, and how many there are in each group."""

import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.database import Database, Transaction
from db.queries import visit_list as queries
from db.queries.live_visits import select_live_visits
from db.queries.names import select_category_id
from db.queries.visit_list import VisitFilter
from db.queries.visit_stats import select_visit_counts
from service.calendar_days import start_of_group
from service.errors import NotFound
from service.visits.ids import parse_log_line_id
from service.visits.store import Visit

GROUP_FIELDS = {"page": "page_url", "user": "user_id"}  # of groups whose field has another name


@dataclass(frozen=True, slots=True)
class VisitCount:
    """The visits of one group: `group` has a value for each field that visits are grouped by."""

    group: dict[str, Any]
    visits: int
    visitors: int
    first: datetime
    last: datetime
    place: int  # in the whole list, from 1


async def get_visit(db: Database, visit_id: uuid.UUID) -> Visit:
    """Return a visit, live or of a log.

    :raises NotFound: no visit has the id
    """
    key = parse_log_line_id(visit_id)
    async with db.transaction() as session:
        rows = await select_live_visits(session, [str(visit_id)])
        row = rows[0] if rows else None
        if row is None and key is not None:
            row = await queries.select_log_line(session, *key)
    if row is None:
        raise NotFound(f"no visit {visit_id}")
    return Visit(*row)


async def list_visits(
    db: Database,
    *,
    category: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
    offset: int,
    **filters: Any,
) -> list[Visit]:
    """List visits, newest first, that come after the key `after`; one more than `limit`.

    :param filters: fields of VisitFilter
    """
    async with db.transaction() as session:
        visit_filter = await make_filter(session, category, filters)
        if visit_filter is None:
            return []
        rows = await queries.select_visits(session, visit_filter, after=after, limit=limit + 1, offset=offset)
    return [Visit(*row) for row in rows]


async def export_visits(db: Database, *, category: str | None, **filters: Any) -> AsyncGenerator[list[Visit]]:
    """Yield all visits of one snapshot that pass the filter, newest first, in batches."""
    async with db.dedicated() as session:
        visit_filter = await make_filter(session, category, filters)
        if visit_filter is None:
            return
        async for rows in queries.select_all_visits(session, visit_filter):
            yield [Visit(*row) for row in rows]


async def count_visits(
    db: Database,
    *,
    group_by: Sequence[str] | None,
    tz: str,
    category: str | None,
    after: tuple[int] | None,
    limit: int,
    offset: int,
    **filters: Any,
) -> list[VisitCount]:
    """Count visits by up to two groups, most visits first, after the place `after`; one more than `limit`."""
    group_by = group_by or ()
    offset = after[0] if after else offset
    async with db.transaction() as session:
        visit_filter = await make_filter(session, category, filters)
        if visit_filter is None:
            return []
        rows = await select_visit_counts(session, visit_filter, group_by, tz, limit=limit + 1, offset=offset)
    return [visit_count(group_by, tz, place, row) for place, row in enumerate(rows, offset + 1)]


def visit_count(group_by: Sequence[str], tz: str, place: int, row: Sequence[Any]) -> VisitCount:
    *values, visits, visitors, first, last = row
    group = {
        GROUP_FIELDS.get(name, name): start_of_group(value, tz)
        for name, value in zip(group_by, values, strict=True)
    }
    return VisitCount(group, visits, visitors, first, last, place)


async def make_filter(
    session: Transaction, category: str | None, filters: dict[str, Any]
) -> VisitFilter | None:
    """Make a filter with the id of the category; None if there is no such category, and so no visit of it."""
    if category is None:
        return VisitFilter(**filters)
    category_id = await select_category_id(session, category)
    return None if category_id is None else VisitFilter(**filters, category_id=category_id)
