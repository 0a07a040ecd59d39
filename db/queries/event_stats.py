"""Queries of the statistics of events, which are otherwise counted on columns."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Event


async def select_first_and_last_time(session: AsyncSession) -> tuple[datetime | None, datetime | None]:
    """Return the times of the oldest and of the newest event; None if there are none."""
    row = (await session.execute(select(func.min(Event.occurred_at), func.max(Event.occurred_at)))).one()
    return row[0], row[1]
