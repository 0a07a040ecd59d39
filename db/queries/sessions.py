"""Sessions: the live tokens of accounts."""

import uuid
from datetime import datetime

from sqlalchemy import delete, insert, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Account, Session
from db.queries.auth_events import Origin


async def insert_session(
    session: AsyncSession,
    session_id: uuid.UUID,
    account_id: int,
    *,
    password_hash: str,
    expires_at: datetime,
    origin: Origin,
) -> bool:
    """Whether the account could still sign in: it is active, and its password has not changed meanwhile.

    Its row is share-locked, so that a change of the password either sees this session or is seen here.
    """
    allowed = select(
        literal(session_id),
        Account.id,
        literal(origin.at),
        literal(origin.at),
        literal(expires_at),
        literal(origin.address, Session.address.type),
        literal(origin.agent, Session.agent.type),
    ).where(Account.id == account_id, Account.active, Account.password_hash == password_hash)
    allowed = allowed.with_for_update(read=True)
    columns = ["id", "account_id", "created_at", "last_used_at", "expires_at", "address", "agent"]
    inserted = await session.scalar(insert(Session).from_select(columns, allowed).returning(Session.id))
    return inserted is not None


async def select_sessions(
    session: AsyncSession,
    account_id: int,
    *,
    now: datetime,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
) -> list[Session]:
    """Those that have not expired, newest first."""
    query = (
        select(Session)
        .where(Session.account_id == account_id, Session.expires_at > now)
        .order_by(Session.created_at.desc(), Session.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if after is not None:
        query = query.where(tuple_(Session.created_at, Session.id) < tuple_(*after))
    return list(await session.scalars(query))


async def delete_session(session: AsyncSession, account_id: int, session_id: uuid.UUID) -> bool:
    """Whether it was there and the account's."""
    deleted = await session.scalar(
        delete(Session)
        .where(Session.id == session_id, Session.account_id == account_id)
        .returning(Session.id)
    )
    return deleted is not None


async def delete_sessions(
    session: AsyncSession, account_id: int, *, but: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """End all of an account's sessions, or all but one. Returns their ids."""
    query = delete(Session).where(Session.account_id == account_id)
    if but is not None:
        query = query.where(Session.id != but)
    return list(await session.scalars(query.returning(Session.id)))


async def delete_expired_sessions(session: AsyncSession, account_id: int, now: datetime) -> None:
    await session.execute(delete(Session).where(Session.account_id == account_id, Session.expires_at <= now))


async def select_session_ids(session: AsyncSession, account_id: int) -> list[uuid.UUID]:
    return list(await session.scalars(select(Session.id).where(Session.account_id == account_id)))
