"""The second factor of an account. The WHERE says what is used up: of two requests at once, one has it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import RecoveryCode, Totp


async def upsert_pending_totp(
    session: AsyncSession, account_id: int, *, sealed_secret: bytes, key_id: str, at: datetime
) -> bool:
    """Insert a secret that is not confirmed yet, in the place of an older such one.

    Return False if the account has a confirmed one.
    """
    values = {"sealed_secret": sealed_secret, "key_id": key_id, "created_at": at, "last_step": 0}
    query = (
        postgresql.insert(Totp)
        .values(account_id=account_id, **values)
        .on_conflict_do_update(
            index_elements=[Totp.account_id], set_=values, where=Totp.confirmed_at.is_(None)
        )
    )
    return await session.scalar(query.returning(Totp.account_id)) is not None


async def select_totp(session: AsyncSession, account_id: int) -> Totp | None:
    return await session.scalar(select(Totp).where(Totp.account_id == account_id))


async def confirm_totp(session: AsyncSession, account_id: int, *, step: int, at: datetime) -> bool:
    """Confirm an account's secret by the code of a step. Return False if there is none to confirm."""
    query = (
        update(Totp)
        .where(Totp.account_id == account_id, Totp.confirmed_at.is_(None), Totp.last_step < step)
        .values(confirmed_at=at, last_step=step)
    )
    return await session.scalar(query.returning(Totp.account_id)) is not None


async def update_last_step(session: AsyncSession, account_id: int, step: int) -> bool:
    """Use up the code of a step, and all before it. Return whether it was not used up before."""
    query = (
        update(Totp)
        .where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None), Totp.last_step < step)
        .values(last_step=step)
    )
    return await session.scalar(query.returning(Totp.account_id)) is not None


async def delete_totp(session: AsyncSession, account_id: int) -> Totp | None:
    """Delete an account's second factor with its recovery codes, and return it; None if there was none."""
    return await session.scalar(delete(Totp).where(Totp.account_id == account_id).returning(Totp))


async def insert_recovery_codes(session: AsyncSession, account_id: int, digests: Sequence[bytes]) -> None:
    values = [{"account_id": account_id, "code_sha256": digest} for digest in digests]
    await session.execute(insert(RecoveryCode).values(values))


async def count_recovery_codes(session: AsyncSession, account_id: int) -> int:
    query = select(func.count()).where(RecoveryCode.account_id == account_id)
    return await session.scalar(query) or 0


async def delete_recovery_code(session: AsyncSession, account_id: int, code_sha256: bytes) -> bool:
    """Use up a recovery code of an account. Return whether it had it."""
    query = delete(RecoveryCode).where(
        RecoveryCode.account_id == account_id, RecoveryCode.code_sha256 == code_sha256
    )
    return await session.scalar(query.returning(RecoveryCode.account_id)) is not None


async def select_totp_of_other_keys(
    session: AsyncSession, key_id: str, *, after: int, limit: int
) -> Sequence[Totp]:
    """Select secrets that another key than this has encrypted, by account, and lock them."""
    query = (
        select(Totp)
        .where(Totp.key_id != key_id, Totp.account_id > after)
        .order_by(Totp.account_id)
        .limit(limit)
        .with_for_update()
    )
    return (await session.scalars(query)).all()


async def update_sealed_secret(
    session: AsyncSession, account_id: int, *, sealed_secret: bytes, key_id: str
) -> None:
    await session.execute(
        update(Totp)
        .where(Totp.account_id == account_id)
        .values(sealed_secret=sealed_secret, key_id=key_id)
        .execution_options(synchronize_session=False)
    )
