"""Refresh tokens, of which only the SHA-256 is stored. Each belongs to a session, and goes with it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import RefreshToken


@dataclass(frozen=True, slots=True)
class RefreshTokenRow:
    """A refresh token; `successor_id` and `sealed_successor` are of the one that replaced it, once used."""

    id: uuid.UUID
    session_id: uuid.UUID
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    successor_id: uuid.UUID | None
    sealed_successor: bytes | None


COLUMNS = tuple(getattr(RefreshToken, name) for name in RefreshTokenRow.__slots__)


async def insert_refresh_token(
    session: AsyncSession,
    token_id: uuid.UUID,
    session_id: uuid.UUID,
    *,
    token_sha256: bytes,
    created_at: datetime,
    expires_at: datetime,
) -> None:
    await session.execute(
        insert(RefreshToken).values(
            id=token_id,
            session_id=session_id,
            token_sha256=token_sha256,
            created_at=created_at,
            expires_at=expires_at,
        )
    )


async def select_refresh_token(session: AsyncSession, token_sha256: bytes) -> RefreshTokenRow | None:
    rows = await session.execute(select(*COLUMNS).where(RefreshToken.token_sha256 == token_sha256))
    row = rows.one_or_none()
    return RefreshTokenRow(*row) if row else None


async def select_creation(session: AsyncSession, token_id: uuid.UUID) -> datetime | None:
    """Return when a refresh token was made; None if there is none."""
    return await session.scalar(select(RefreshToken.created_at).where(RefreshToken.id == token_id))


async def update_used(
    session: AsyncSession,
    token_id: uuid.UUID,
    *,
    used_at: datetime,
    successor_id: uuid.UUID,
    sealed_successor: bytes,
) -> None:
    """Note that a token was used, and what replaced it."""
    await session.execute(
        update(RefreshToken)
        .where(RefreshToken.id == token_id)
        .values(used_at=used_at, successor_id=successor_id, sealed_successor=sealed_successor)
    )
