"""The tokens of parts, which name their files of decoded columns."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import EventPart, VisitPart


async def select_part_tokens(session: AsyncSession) -> list[uuid.UUID]:
    """Return the tokens of all parts."""
    return list(await session.scalars(select(VisitPart.token)))


async def select_event_part_tokens(session: AsyncSession) -> list[uuid.UUID]:
    """Return the tokens of all parts of events."""
    return list(await session.scalars(select(EventPart.token)))
