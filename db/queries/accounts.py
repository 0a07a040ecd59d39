"""Accounts: the people who sign in."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.locks import lock_names
from db.models import Account

# Built once: to build it anew takes as long as PostgreSQL takes to answer it.
ACCOUNT_BY_ID = select(Account).where(Account.id == bindparam("account_id"))


async def select_taken_names(session: AsyncSession, keys: Sequence[str], *, but: int = 0) -> set[str]:
    """Those of the folded names that accounts other than `but` have as login or e-mail."""
    rows = await session.execute(
        select(Account.login_key, Account.email_key)
        .where(or_(Account.login_key.in_(keys), Account.email_key.in_(keys)))
        .where(Account.id != but)
    )
    return {name for row in rows for name in row if name in keys}


async def insert_account(
    session: AsyncSession, *, login_key: str, email_key: str | None, **values: Any
) -> Account | None:
    """None if another account has the login or the e-mail as its login or e-mail."""
    names = [login_key, email_key] if email_key else [login_key]
    await lock_names(session, names)
    if await select_taken_names(session, names):
        return None
    added = await session.scalars(
        insert(Account).values(login_key=login_key, email_key=email_key, **values).returning(Account)
    )
    return added.one()


async def select_account(session: AsyncSession, account_id: int) -> Account | None:
    return await session.scalar(ACCOUNT_BY_ID, {"account_id": account_id})


async def lock_account(session: AsyncSession, account_id: int) -> Account | None:
    """The account, of which nobody opens sessions or makes keys until the transaction ends."""
    return await session.scalar(select(Account).where(Account.id == account_id).with_for_update())


async def select_account_by_name(session: AsyncSession, key: str) -> Account | None:
    """The account with this folded login, else the one with this folded e-mail."""
    found = await session.scalars(
        select(Account)
        .where(or_(Account.login_key == key, Account.email_key == key))
        .order_by((Account.login_key == key).desc())
        .limit(1)
    )
    return found.one_or_none()


async def select_accounts(
    session: AsyncSession,
    *,
    after: int | None,
    limit: int,
    offset: int,
    q: str | None = None,
    role: str | None = None,
) -> list[Account]:
    """By id. `q` is part of a login, e-mail or name, in any case."""
    query = select(Account).order_by(Account.id).limit(limit).offset(offset)
    if after is not None:
        query = query.where(Account.id > after)
    if role is not None:
        query = query.where(Account.role == role)
    if q is not None:
        full_name = func.concat(Account.first_name, " ", Account.last_name)
        columns = (Account.login, Account.email, full_name)
        query = query.where(or_(*(column.icontains(q, autoescape=True) for column in columns)))
    return list(await session.scalars(query))


async def update_account(session: AsyncSession, account_id: int, values: dict[str, Any]) -> Account | None:
    if not values:
        return await select_account(session, account_id)
    updated = await session.scalars(
        update(Account).where(Account.id == account_id).values(**values).returning(Account)
    )
    return updated.one_or_none()


async def update_password_hash(session: AsyncSession, account_id: int, *, old: str, new: str) -> bool:
    """Whether `old` was still the hash, and so is `new` now."""
    updated = await session.scalar(
        update(Account)
        .where(Account.id == account_id, Account.password_hash == old)
        .values(password_hash=new)
        .returning(Account.id)
    )
    return updated is not None


async def delete_account(session: AsyncSession, account_id: int) -> Account | None:
    """Its sessions, keys and all else that is its own go with it."""
    deleted = await session.scalars(delete(Account).where(Account.id == account_id).returning(Account))
    return deleted.one_or_none()


async def select_any_admin(session: AsyncSession) -> int | None:
    return await session.scalar(select(Account.id).where(Account.role == "admin", Account.active).limit(1))
