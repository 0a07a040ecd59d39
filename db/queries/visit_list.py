"""Visits as they are read: lists by filter, and statistics."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import plan_for_values, select_in_batches
from db.models import Category, RequestQuarter
from db.sql import statement

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit with the names of what it shows. (occurred_at, request_id) is its key."""

    request_id: str
    occurred_at: datetime
    page_url: str
    user_id: int | None
    country: str | None
    source: str
    kind: str
    category: str | None
    product: str | None


@dataclass(frozen=True, slots=True)
class CountRow:
    """`group` has the values of the groups asked for, in their order."""

    group: tuple[Any, ...]
    visits: int
    visitors: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """Which visits are asked for: of [since, until), and with these values. None asks for nothing."""

    since: datetime | None = None
    until: datetime | None = None
    user_id: int | None = None
    page_url: str | None = None
    source: str | None = None
    country: str | None = None
    category_id: int | None = None


async def select_category_id(session: AsyncSession, name: str) -> int | None:
    digest = sha256(name.encode()).digest()
    return await session.scalar(select(Category.id).where(Category.name_sha256 == digest))


async def select_visits(
    session: AsyncSession,
    wanted: VisitFilter,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
    offset: int,
) -> list[VisitRow]:
    """Newest first, from the key `after` on."""
    before_at, before_id = after or (None, None)
    page = {"before_at": before_at, "before_id": before_id, "limit": limit, "offset": offset}
    await plan_for_values(session)
    rows = await session.execute(statement("visits"), asdict(wanted) | page)
    return [VisitRow(*row) for row in rows]


async def select_log_line(session: AsyncSession, occurred_at: datetime, request_key: str) -> VisitRow | None:
    """The visit of a log line by its key."""
    just_after = (occurred_at, f"{request_key} ")
    wanted = VisitFilter(since=occurred_at, source="log")
    rows = await select_visits(session, wanted, after=just_after, limit=1, offset=0)
    return rows[0] if rows and rows[0].request_id == request_key else None


async def select_all_visits(session: AsyncSession, wanted: VisitFilter) -> AsyncGenerator[list[VisitRow]]:
    """All of them as they are at one moment, newest first, some at a time. Keeps the session busy."""
    page: dict[str, Any] = {"before_at": None, "before_id": None, "limit": None, "offset": 0}
    await plan_for_values(session)
    everything = statement("visits").bindparams(**asdict(wanted), **page)
    async for rows in select_in_batches(session, everything):
        yield [VisitRow(*row) for row in cast(Sequence[Any], rows)]


async def select_quarters(
    session: AsyncSession, since: datetime | None, until: datetime | None
) -> list[datetime]:
    """The begins of all quarter hours that have visits in [since, until), and perhaps of one more."""
    quarter = RequestQuarter.quarter
    query = select(quarter).distinct()
    if since is not None:
        query = query.where(quarter + QUARTER > since)
    if until is not None:
        query = query.where(quarter < until)
    return list(await session.scalars(query))


async def select_visit_counts(
    session: AsyncSession,
    wanted: VisitFilter,
    *,
    group_by: Sequence[str],
    buckets: Mapping[str, Sequence[datetime]],
    limit: int,
    offset: int,
) -> list[CountRow]:
    """Visits by up to two groups, most first.

    `buckets`: for each `quarter`, with which instant (`begin_1`, `begin_2`) the bucket of the first or the
    second group begins; empty where none is a time.
    """
    nothing = [None] * len(buckets.get("quarter", ()))
    by_1, by_2 = (*group_by, None, None)[:2]
    arrays = {"quarter": [], "begin_1": nothing, "begin_2": nothing, **buckets}
    groups = {"by_1": by_1, "by_2": by_2, "timed": bool(buckets), "limit": limit, "offset": offset}
    await plan_for_values(session)
    rows = await session.execute(statement("visit_stats"), asdict(wanted) | groups | arrays)
    return [
        CountRow(
            tuple(group_value(row, name, place) for place, name in enumerate(group_by, 1)),
            row.visits,
            row.visitors,
            row.first,
            row.last,
        )
        for row in rows
    ]


def group_value(row: Any, name: str, place: int) -> Any:
    column = {"page": "text", "country": "text", "user": "number", "category": "category"}.get(name, "time")
    return getattr(row, f"{column}_{place}")
