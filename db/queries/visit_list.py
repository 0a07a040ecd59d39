"""Visits as they are read: lists by filter."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import force_custom_plan, select_in_batches
from db.models import Category, Visit
from db.sql import statement


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
class VisitFilter:
    """Which visits are asked for: of [since, until), and with these values. None asks for nothing."""

    since: datetime | None = None
    until: datetime | None = None
    user_id: int | None = None
    page_url: str | None = None
    source: str | None = None
    country: str | None = None
    category_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same as visits.sql asks for."""
        found: list[ColumnElement[bool]] = []
        if self.since is not None:
            found.append(Visit.occurred_at >= self.since)
        if self.until is not None:
            found.append(Visit.occurred_at < self.until)
        names = ("user_id", "page_url", "source", "country", "category_id")
        found += [
            getattr(Visit, name) == value for name in names if (value := getattr(self, name)) is not None
        ]
        if self.source not in (None, "log"):
            found.append(Visit.source != "log")  # lets the index of live visits serve
        return found


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
    if before_at is not None and wanted.until is not None and before_at < wanted.until:
        wanted = replace(wanted, until=None)  # of two bounds, PostgreSQL may begin to read at the later one
    page = {"before_at": before_at, "before_id": before_id, "limit": limit, "offset": offset}
    await force_custom_plan(session)
    rows = await session.execute(statement("visits/visits"), asdict(wanted) | page)
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
    await force_custom_plan(session)
    everything = statement("visits/visits").bindparams(**asdict(wanted), **page)
    async for rows in select_in_batches(session, everything):
        yield [VisitRow(*row) for row in cast(Sequence[Any], rows)]
