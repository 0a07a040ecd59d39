"""Shares, each only for the account that it belongs to."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Share


async def insert_share(session: AsyncSession, **values: Any) -> Share:
    rows = await session.scalars(insert(Share).values(**values).returning(Share))
    return rows.one()


async def count_shares(session: AsyncSession, account_id: int) -> int:
    return await session.scalar(select(func.count()).where(Share.account_id == account_id)) or 0


async def select_shares(
    session: AsyncSession,
    account_id: int,
    *,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
) -> list[Share]:
    """Select an account's shares, newest first."""
    query = (
        select(Share)
        .where(Share.account_id == account_id)
        .order_by(Share.created_at.desc(), Share.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if after is not None:
        query = query.where(tuple_(Share.created_at, Share.id) < tuple_(*after))
    return list(await session.scalars(query))


async def delete_share(session: AsyncSession, account_id: int, share_id: uuid.UUID) -> bytes | None:
    """Delete a share of an account. Return its key's digest; None if there was no such share."""
    return await session.scalar(
        delete(Share).where(Share.id == share_id, Share.account_id == account_id).returning(Share.key_sha256)
    )


async def delete_shares(session: AsyncSession, account_id: int) -> list[bytes]:
    """Delete the shares of an account. Return the digests of their keys."""
    query = delete(Share).where(Share.account_id == account_id).returning(Share.key_sha256)
    return list(await session.scalars(query))


async def delete_expired_shares(session: AsyncSession, account_id: int, now: datetime) -> None:
    await session.execute(delete(Share).where(Share.account_id == account_id, Share.expires_at <= now))
