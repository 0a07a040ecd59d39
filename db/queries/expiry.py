"""What has expired of the credentials of all accounts."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import ApiKey, RefreshToken, Session


async def delete_expired(session: AsyncSession, now: datetime, *, limit: int) -> int:
    """Delete up to `limit` rows of each kind. Return how many were deleted of the kind that has most.

    A row that somebody has locked is in use, and is left for the next time.
    """
    counts = []
    for model in (RefreshToken, Session, ApiKey):
        expired = select(model.id).where(model.expires_at <= now).limit(limit)
        chosen = expired.with_for_update(skip_locked=True)
        ids = await session.scalars(delete(model).where(model.id.in_(chosen)).returning(model.id))
        counts.append(len(ids.all()))
    return max(counts)
