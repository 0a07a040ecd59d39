"""API keys, of which only the SHA-256 is stored."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import ApiKey


async def insert_key(session: AsyncSession, **values: Any) -> ApiKey:
    rows = await session.scalars(insert(ApiKey).values(**values).returning(ApiKey))
    return rows.one()


async def count_keys(session: AsyncSession, account_id: int, now: datetime) -> int:
    """Count the keys of an account that have not expired."""
    query = select(func.count()).where(ApiKey.account_id == account_id)
    return await session.scalar(query.where(or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))) or 0


async def select_keys(
    session: AsyncSession,
    account_id: int,
    *,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
) -> list[ApiKey]:
    """Select an account's keys, newest first."""
    query = (
        select(ApiKey)
        .where(ApiKey.account_id == account_id)
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if after is not None:
        query = query.where(tuple_(ApiKey.created_at, ApiKey.id) < tuple_(*after))
    return list(await session.scalars(query))


async def delete_key(session: AsyncSession, account_id: int, key_id: uuid.UUID) -> bytes | None:
    """Delete a key of an account. Return its digest; None if there was no such key."""
    return await session.scalar(
        delete(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.account_id == account_id)
        .returning(ApiKey.key_sha256)
    )


async def delete_keys(session: AsyncSession, account_id: int) -> list[bytes]:
    """Delete the keys of an account. Return their digests."""
    query = delete(ApiKey).where(ApiKey.account_id == account_id).returning(ApiKey.key_sha256)
    return list(await session.scalars(query))


async def select_key_digests(session: AsyncSession, account_id: int) -> list[bytes]:
    return list(await session.scalars(select(ApiKey.key_sha256).where(ApiKey.account_id == account_id)))
