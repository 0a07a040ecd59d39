"""Retention: deletes visits and events that are too old, a span of time after the other."""

from datetime import datetime

import polars as pl
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import UnfinishedRetention, Visit
from db.sql import statement
from db.visit_frame import VISIT, frame_columns, visit_frame


async def has_visits(session: AsyncSession, *, since: datetime, before: datetime) -> bool:
    """Return whether there are visits in [since, before)."""
    visit = select(Visit.occurred_at).where(Visit.occurred_at >= since, Visit.occurred_at < before)
    return await session.scalar(visit.limit(1)) is not None


async def delete_oldest_visits(
    session: AsyncSession, *, since: datetime, before: datetime, count: int
) -> pl.DataFrame:
    """Delete the first `count` visits in [since, before), and return them."""
    visit = VISIT.c
    key = (visit.occurred_at, visit.request_id)
    oldest = (
        select(*key)
        .where(visit.occurred_at >= since, visit.occurred_at < before)
        .order_by(*key)
        .limit(count)
        .subquery("oldest")
    )
    rows = await session.execute(
        delete(VISIT).where(*(column == oldest.c[column.name] for column in key)).returning(*frame_columns())
    )
    return visit_frame(rows)


async def delete_oldest_events(
    session: AsyncSession, *, since: datetime, before: datetime, count: int
) -> tuple[int, datetime | None]:
    """Delete the first `count` events in [since, before). Return how many there were, and the last time."""
    row = await session.execute(
        statement("events/delete_oldest_events"), {"since": since, "before": before, "count": count}
    )
    events, last = row.one()
    return events, last


async def insert_unfinished(session: AsyncSession, before: datetime) -> None:
    """Store that goods and addresses have to be cleaned up after visits were deleted."""
    await session.execute(upsert(UnfinishedRetention).values(before=before).on_conflict_do_nothing())


async def is_unfinished(session: AsyncSession) -> bool:
    """Return whether `insert_unfinished` has been called since the last `delete_unfinished`."""
    return await session.scalar(select(UnfinishedRetention.before).limit(1)) is not None


async def delete_unfinished(session: AsyncSession) -> None:
    await session.execute(delete(UnfinishedRetention))
