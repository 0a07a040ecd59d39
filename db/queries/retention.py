"""Retention: deletes visits and events that are too old, a span of time after the other."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Table, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Event, LiveVisit, UnfinishedRetention
from db.sessions import AnyRow

assert isinstance(LiveVisit.__table__, Table)
LIVE_VISIT: Table = LiveVisit.__table__
# What live visits are subtracted by.
NAMES = (
    "occurred_at",
    "source",
    "kind",
    "country",
    "category_id",
    "cart_id",
    "page_url",
    "is_bot",
)


async def has_live_visits(session: AsyncSession, *, before: datetime) -> bool:
    """Return whether there are live visits before a moment."""
    visit = select(LiveVisit.occurred_at).where(LiveVisit.occurred_at < before)
    return await session.scalar(visit.limit(1)) is not None


async def delete_oldest_live_visits(
    session: AsyncSession, *, before: datetime, count: int
) -> Sequence[AnyRow]:
    """Delete the first `count` live visits before a moment, and return them."""
    visit = LIVE_VISIT.c
    key = (visit.occurred_at, visit.request_id)
    oldest = select(*key).where(visit.occurred_at < before).order_by(*key).limit(count).subquery("oldest")
    is_oldest = (column == oldest.c[column.name] for column in key)
    columns = [visit[name] for name in NAMES]
    rows = await session.execute(delete(LIVE_VISIT).where(*is_oldest).returning(*columns))
    return rows.all()


async def select_end_of_oldest_events(
    session: AsyncSession, *, before: datetime, count: int
) -> datetime | None:
    """Return a time before which there are some `count` events, or all before a moment; None without."""
    oldest = select(Event.occurred_at).where(Event.occurred_at < before).order_by(Event.occurred_at)
    times = oldest.limit(count).subquery()
    last = await session.scalar(select(func.max(times.c.occurred_at)))
    return None if last is None else min(before, last + timedelta(microseconds=1))


async def delete_events(session: AsyncSession, *, before: datetime) -> int:
    """Delete the events before a moment. Return how many they were."""
    statement = delete(Event).where(Event.occurred_at < before).returning(literal(1)).cte("deleted")
    return await session.scalar(select(func.count()).select_from(statement)) or 0


async def insert_unfinished(session: AsyncSession, before: datetime) -> None:
    """Store that goods and addresses have to be cleaned up after visits were deleted."""
    await session.execute(upsert(UnfinishedRetention).values(before=before).on_conflict_do_nothing())


async def is_unfinished(session: AsyncSession) -> bool:
    """Return whether `insert_unfinished` has been called since the last `delete_unfinished`."""
    return await session.scalar(select(UnfinishedRetention.before).limit(1)) is not None


async def delete_unfinished(session: AsyncSession) -> None:
    await session.execute(delete(UnfinishedRetention))
