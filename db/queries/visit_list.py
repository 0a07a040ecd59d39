"""Visits as they are read: lists by filter, with the columns of visits.sql."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import AnyRow, force_custom_plan, select_in_batches
from db.models import Visit
from db.sql import statement


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """The visits of [since, until), with all values that are not None."""

    since: datetime | None = None
    until: datetime | None = None
    user_id: int | None = None
    page_url: str | None = None
    source: str | None = None
    country: str | None = None
    category_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions, which are those of visits.sql."""
        conditions: list[ColumnElement[bool]] = []
        if self.since is not None:
            conditions.append(Visit.occurred_at >= self.since)
        if self.until is not None:
            conditions.append(Visit.occurred_at < self.until)
        names = ("user_id", "page_url", "source", "country", "category_id")
        conditions += [
            getattr(Visit, name) == value for name in names if (value := getattr(self, name)) is not None
        ]
        if self.source not in (None, "log"):
            conditions.append(Visit.source != "log")  # the condition of the index of live visits
        return conditions


async def select_visits(
    session: AsyncSession,
    visit_filter: VisitFilter,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
    offset: int,
) -> Sequence[AnyRow]:
    """Return visits, newest first, that come after the key `after` in this order."""
    before_at, before_id = after or (None, None)
    if before_at is not None and visit_filter.until is not None and before_at < visit_filter.until:
        visit_filter = replace(visit_filter, until=None)  # PostgreSQL may start reading at the later bound
    page = {"before_at": before_at, "before_id": before_id, "limit": limit, "offset": offset}
    await force_custom_plan(session)
    return (await session.execute(statement("visits/visits"), asdict(visit_filter) | page)).all()


async def select_log_line(session: AsyncSession, occurred_at: datetime, request_key: str) -> AnyRow | None:
    """Return the visit of a log line by its key."""
    just_after = (occurred_at, f"{request_key} ")
    visit_filter = VisitFilter(since=occurred_at, source="log")
    rows = await select_visits(session, visit_filter, after=just_after, limit=1, offset=0)
    return rows[0] if rows and rows[0].request_id == request_key else None


async def select_all_visits(
    session: AsyncSession, visit_filter: VisitFilter
) -> AsyncGenerator[Sequence[AnyRow]]:
    """Yield all visits of one snapshot, newest first, in batches. Needs a dedicated connection."""
    page: dict[str, Any] = {"before_at": None, "before_id": None, "limit": None, "offset": 0}
    await force_custom_plan(session)
    query = statement("visits/visits").bindparams(**asdict(visit_filter), **page)
    async for rows in select_in_batches(session, query):
        yield rows
