"""Visits as they are read: lists by filter, and statistics."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Category
from db.sql import statement

PLAN_FOR_VALUES = text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")


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


def select_rows(rows: Iterable[Any]) -> list[VisitRow]:
    return [VisitRow(*row) for row in rows]


async def select_category_id(session: AsyncSession, name: str) -> int | None:
    digest = sha256(name.encode()).digest()
    return await session.scalar(select(Category.id).where(Category.name_sha256 == digest))


async def plan_for_values(session: AsyncSession) -> None:
    """Have the transaction's statements planned for the values asked for.

    A plan for any value would take an absent filter for one that is there, and a rare value for a common one.
    """
    await session.execute(PLAN_FOR_VALUES)


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
    await plan_for_values(session)
    rows = await session.execute(
        statement("visits"),
        asdict(wanted) | {"before_at": before_at, "before_id": before_id, "limit": limit, "offset": offset},
    )
    return select_rows(rows)
