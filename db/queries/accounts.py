"""Accounts: the people who sign in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from asyncpg import Connection
from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.locks import lock_names
from db.models import Account

# Built once: building it again takes as long as PostgreSQL takes to answer it.
ACCOUNT_BY_ID = select(Account).where(Account.id == bindparam("account_id"))


class AccountRow(NamedTuple):
    """What is shown of an account."""

    id: int
    login: str
    email: str | None
    first_name: str
    last_name: str
    role: str
    created_at: datetime


SHOWN = ", ".join(AccountRow._fields)
ACCOUNT_ROW = f"SELECT {SHOWN} FROM account WHERE id = $1"  # noqa: S608 - made of the names above
ACCOUNT_ROWS = f"""
    SELECT {SHOWN} FROM account WHERE id > $1 ORDER BY id LIMIT $2 OFFSET $3
"""  # noqa: S608 - made of the names above


async def select_taken_names(session: AsyncSession, keys: Sequence[str], *, excluding: int = 0) -> set[str]:
    """Return those of the folded names that any account but `excluding` has as its login or e-mail."""
    rows = await session.execute(
        select(Account.login_key, Account.email_key)
        .where(or_(Account.login_key.in_(keys), Account.email_key.in_(keys)))
        .where(Account.id != excluding)
    )
    return {name for row in rows for name in row if name in keys}


async def insert_account(
    session: AsyncSession, *, login_key: str, email_key: str | None, **values: Any
) -> Account | None:
    """Insert an account. Return None if another has the login or the e-mail, as its login or e-mail."""
    names = [login_key, email_key] if email_key else [login_key]
    await lock_names(session, names)
    if await select_taken_names(session, names):
        return None
    rows = await session.scalars(
        insert(Account).values(login_key=login_key, email_key=email_key, **values).returning(Account)
    )
    return rows.one()


async def has_accounts(session: AsyncSession) -> bool:
    return await session.scalar(select(Account.id).limit(1)) is not None


async def select_account(session: AsyncSession, account_id: int) -> Account | None:
    return await session.scalar(ACCOUNT_BY_ID, {"account_id": account_id})


async def select_account_row(raw: Connection, account_id: int) -> AccountRow | None:
    """Select what is shown of an account. It goes past SQLAlchemy, at a third of the cost."""
    row = await raw.fetchrow(ACCOUNT_ROW, account_id)
    return AccountRow(*row) if row else None


async def select_account_rows(raw: Connection, *, after: int, limit: int, offset: int) -> list[AccountRow]:
    """Select what is shown of accounts by id, after the id `after`."""
    return list(map(AccountRow._make, await raw.fetch(ACCOUNT_ROWS, after, limit, offset)))


async def lock_account(session: AsyncSession, account_id: int) -> Account | None:
    """Select an account and lock it: until the transaction ends it gets no sessions and no keys."""
    return await session.scalar(select(Account).where(Account.id == account_id).with_for_update())


async def lock_owner(session: AsyncSession, account_id: int) -> bool:
    """Lock an account against others that count what it has. Return whether there is such an account."""
    query = select(Account.id).where(Account.id == account_id).with_for_update(key_share=True)
    return await session.scalar(query) is not None


async def select_account_by_login(session: AsyncSession, key: str) -> Account | None:
    """Select the account with this folded login."""
    return await session.scalar(select(Account).where(Account.login_key == key))


async def select_account_by_name(session: AsyncSession, key: str) -> Account | None:
    """Select the account with this folded login, else the one with this folded e-mail."""
    rows = await session.scalars(
        select(Account)
        .where(or_(Account.login_key == key, Account.email_key == key))
        .order_by((Account.login_key == key).desc())
        .limit(1)
    )
    return rows.one_or_none()


async def select_accounts(
    session: AsyncSession,
    *,
    after: int | None,
    limit: int,
    offset: int,
    q: str | None = None,
    role: str | None = None,
) -> list[Account]:
    """Select accounts by id, after the id `after`. `q` is a part of a login, e-mail or name, in any case."""
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
    """Set the columns in `values`, and return the account; None if there is no such account."""
    if not values:
        return await select_account(session, account_id)
    rows = await session.scalars(
        update(Account).where(Account.id == account_id).values(**values).returning(Account)
    )
    return rows.one_or_none()


async def update_password_hash(session: AsyncSession, account_id: int, *, old: str, new: str) -> bool:
    """Replace the hash if it is still `old`. Return whether it was."""
    updated_id = await session.scalar(
        update(Account)
        .where(Account.id == account_id, Account.password_hash == old)
        .values(password_hash=new)
        .returning(Account.id)
    )
    return updated_id is not None


async def delete_account(session: AsyncSession, account_id: int) -> Account | None:
    """Delete an account with all that belongs to it, and return it; None if there is none."""
    rows = await session.scalars(delete(Account).where(Account.id == account_id).returning(Account))
    return rows.one_or_none()


async def select_any_admin(session: AsyncSession, *, excluding: int = 0) -> int | None:
    """Return the id of an active admin other than `excluding`, if there is one."""
    query = select(Account.id).where(Account.role == "admin", Account.active, Account.id != excluding)
    return await session.scalar(query.limit(1))
