"""Tokens that set a forgotten password, of which only the SHA-256 is stored."""

from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Account, PasswordReset


async def insert_reset(
    session: AsyncSession,
    account_id: int,
    *,
    token_sha256: bytes,
    created_at: datetime,
    expires_at: datetime,
    email_key: str | None = None,
) -> None:
    """Insert a token of an account, and delete those of all accounts that have expired."""
    await session.execute(delete(PasswordReset).where(PasswordReset.expires_at <= created_at))
    await session.execute(
        insert(PasswordReset).values(
            token_sha256=token_sha256,
            account_id=account_id,
            email_key=email_key,
            created_at=created_at,
            expires_at=expires_at,
        )
    )


async def count_mailed_resets(session: AsyncSession, account_id: int, now: datetime) -> int:
    """Count the tokens that were mailed to an account and have not expired."""
    query = select(func.count()).where(
        PasswordReset.account_id == account_id,
        PasswordReset.email_key.is_not(None),
        PasswordReset.expires_at > now,
    )
    return await session.scalar(query) or 0


async def select_reset_account(session: AsyncSession, token_sha256: bytes, now: datetime) -> Account | None:
    """Select the active account whose password a token may set."""
    return await session.scalar(
        select(Account)
        .join(PasswordReset, PasswordReset.account_id == Account.id)
        .where(
            PasswordReset.token_sha256 == token_sha256,
            PasswordReset.expires_at > now,
            or_(PasswordReset.email_key.is_(None), PasswordReset.email_key == Account.email_key),
            Account.active,
        )
    )


async def delete_resets(session: AsyncSession, account_id: int) -> None:
    await session.execute(delete(PasswordReset).where(PasswordReset.account_id == account_id))
