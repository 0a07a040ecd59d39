"""Sessions: each is what the tokens of one sign-in belong to."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Account, Session
from db.queries.auth_events import Origin


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session of an active account."""

    id: uuid.UUID
    account_id: int
    created_at: datetime
    expires_at: datetime


async def insert_session(
    session: AsyncSession,
    session_id: uuid.UUID,
    account_id: int,
    *,
    password_hash: str,
    expires_at: datetime,
    origin: Origin,
) -> bool:
    """Insert a session if the account is active and its password hash still the same. Return whether it is.

    The account's row is share-locked: a change of the password either sees this session or is seen here.
    """
    account = select(
        literal(session_id),
        Account.id,
        literal(origin.at),
        literal(origin.at),
        literal(expires_at),
        literal(origin.stored_address, Session.address.type),
        literal(origin.agent, Session.agent.type),
    ).where(Account.id == account_id, Account.active, Account.password_hash == password_hash)
    account = account.with_for_update(read=True)
    columns = ["id", "account_id", "created_at", "last_used_at", "expires_at", "address", "agent"]
    inserted_id = await session.scalar(insert(Session).from_select(columns, account).returning(Session.id))
    return inserted_id is not None


async def lock_live_session(session: AsyncSession, session_id: uuid.UUID) -> LiveSession | None:
    """Select a session and lock it until the transaction ends; None if it or its account has ended."""
    rows = await session.execute(
        select(Session.id, Session.account_id, Session.created_at, Session.expires_at)
        .join(Account, Account.id == Session.account_id)
        .where(Session.id == session_id, Account.active)
        .with_for_update(of=Session)
    )
    row = rows.one_or_none()
    return LiveSession(*row) if row else None


async def update_session_expiry(
    session: AsyncSession, session_id: uuid.UUID, expires_at: datetime, *, used_at: datetime
) -> None:
    await session.execute(
        update(Session).where(Session.id == session_id).values(expires_at=expires_at, last_used_at=used_at)
    )


async def select_sessions(
    session: AsyncSession,
    account_id: int,
    *,
    now: datetime,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
) -> list[Session]:
    """Select an account's sessions that have not expired, newest first."""
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
    """Delete a session of an account. Return whether there was one."""
    deleted_id = await session.scalar(
        delete(Session)
        .where(Session.id == session_id, Session.account_id == account_id)
        .returning(Session.id)
    )
    return deleted_id is not None


async def delete_sessions(
    session: AsyncSession, account_id: int, *, excluding: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """Delete the sessions of an account, but for `excluding`. Return their ids."""
    query = delete(Session).where(Session.account_id == account_id)
    if excluding is not None:
        query = query.where(Session.id != excluding)
    return list(await session.scalars(query.returning(Session.id)))


async def delete_expired_sessions(session: AsyncSession, account_id: int, now: datetime) -> None:
    await session.execute(delete(Session).where(Session.account_id == account_id, Session.expires_at <= now))


async def select_session_ids(session: AsyncSession, account_id: int) -> list[uuid.UUID]:
    return list(await session.scalars(select(Session.id).where(Session.account_id == account_id)))
