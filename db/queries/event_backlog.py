"""Events whose columns wait to be merged. Nothing here imports numpy: it is asked in every process."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import EventBatch, EventPart


@dataclass(frozen=True, slots=True)
class Backlog:
    """Batches with their events, and parts that are small."""

    batches: int
    events: int
    small_parts: int


async def count_backlog(session: AsyncSession, *, small: int) -> Backlog:
    """Count what waits; parts of less than `small` events are small."""
    small_parts = select(func.count()).where(EventPart.events < small).scalar_subquery()
    events = func.coalesce(func.sum(EventBatch.events), 0)
    row = (await session.execute(select(func.count(EventBatch.id), events, small_parts))).one()
    return Backlog(*row)
