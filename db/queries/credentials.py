"""The accounts behind access tokens, API keys and the keys of shares."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Account, ApiKey, Session, Share


@dataclass(frozen=True, slots=True)
class CallerRow:
    """An active account, and the session (`scopes` is None) or key that it was selected by.

    The key of a share has a view with its parameters.
    """

    account_id: int
    role: str
    id: uuid.UUID
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    scopes: list[str] | None
    share: tuple[str, dict[str, str]] | None = None


async def select_session_caller(
    session: AsyncSession, *, session_id: uuid.UUID, account_id: int
) -> CallerRow | None:
    rows = await session.execute(
        select(
            Account.id,
            Account.role,
            Session.id,
            Session.created_at,
            Session.expires_at,
            Session.last_used_at,
        )
        .join(Session, Session.account_id == Account.id)
        .where(Session.id == session_id, Account.id == account_id, Account.active)
    )
    row = rows.one_or_none()
    return CallerRow(*row, scopes=None) if row else None


async def select_key_caller(session: AsyncSession, *, key_sha256: bytes) -> CallerRow | None:
    rows = await session.execute(
        select(
            Account.id,
            Account.role,
            ApiKey.id,
            ApiKey.created_at,
            ApiKey.expires_at,
            ApiKey.last_used_at,
            ApiKey.scopes,
        )
        .join(ApiKey, ApiKey.account_id == Account.id)
        .where(ApiKey.key_sha256 == key_sha256, Account.active)
    )
    row = rows.one_or_none()
    return CallerRow(*row) if row else None


async def select_share_caller(session: AsyncSession, *, key_sha256: bytes) -> CallerRow | None:
    """Select the account of a share, with no rights of its own."""
    share = await session.scalar(
        select(Share)
        .join(Account, Account.id == Share.account_id)
        .where(Share.key_sha256 == key_sha256, Account.active)
    )
    if share is None:
        return None
    return CallerRow(
        account_id=share.account_id,
        role="user",
        id=share.id,
        created_at=share.created_at,
        expires_at=share.expires_at,
        last_used_at=share.last_used_at,
        scopes=[],
        share=(share.view, share.parameters),
    )


async def update_session_used(session: AsyncSession, session_id: uuid.UUID, at: datetime) -> None:
    await session.execute(update(Session).where(Session.id == session_id).values(last_used_at=at))


async def update_key_used(session: AsyncSession, key_id: uuid.UUID, at: datetime) -> None:
    await session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=at))


async def update_share_used(session: AsyncSession, share_id: uuid.UUID, at: datetime) -> None:
    await session.execute(update(Share).where(Share.id == share_id).values(last_used_at=at))
