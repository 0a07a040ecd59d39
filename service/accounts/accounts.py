"""Accounts: who may sign in."""

from dataclasses import dataclass
from typing import Any

from db.database import Database
from db.locks import lock_admins
from db.models import Account
from db.queries import accounts as queries
from db.queries.auth_events import Origin, insert_auth_event
from service.errors import Conflict, NotFound
from service.security.identifiers import fold_new
from service.security.passwords import Hasher, check_new_password


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What somebody registers with. An e-mail given alone has become the login already."""

    login: str
    password: str
    email: str | None = None
    first_name: str = ""
    last_name: str = ""
    role: str = "user"


async def register(db: Database, hasher: Hasher, new: NewAccount, *, salt: bytes, origin: Origin) -> Account:
    """Open an account.

    :raises Conflict: the login or the e-mail is another account's login or e-mail
    :raises Invalid: the password may not be chosen
    """
    values = await _values(hasher, new, salt, origin)
    async with db.transaction() as session:
        account = await queries.insert_account(session, **values)
        if account is None:
            taken = await queries.select_taken_names(session, [values["login_key"]])
            raise name_taken("login" if taken else "email")
        await insert_auth_event(session, "register", account.id, origin)
        return account


async def ensure_admin(
    db: Database, hasher: Hasher, new: NewAccount, *, salt: bytes, origin: Origin
) -> Account | None:
    """Open an admin's account, unless there is an active admin already: then None.

    :raises Conflict: another account has the login
    """
    async with db.read() as session:
        if await queries.select_any_admin(session) is not None:
            return None
    values = await _values(hasher, new, salt, origin)
    async with db.transaction() as session:
        await lock_admins(session)
        if await queries.select_any_admin(session) is not None:
            return None
        account = await queries.insert_account(session, **{**values, "role": "admin"})
        if account is None:
            raise name_taken("login")
        await insert_auth_event(session, "register", account.id, origin)
        return account


async def get_account(db: Database, account_id: int) -> Account:
    async with db.read() as session:
        account = await queries.select_account(session, account_id)
        if account is None:
            raise NotFound(f"no user {account_id}")
        return account


async def list_accounts(db: Database, *, after: tuple[int] | None, limit: int, offset: int) -> list[Account]:
    """By id; one more than `limit` if more follow."""
    last = after[0] if after else None
    async with db.read() as session:
        return await queries.select_accounts(session, after=last, limit=limit + 1, offset=offset)


async def _values(hasher: Hasher, new: NewAccount, salt: bytes, origin: Origin) -> dict[str, Any]:
    """The columns of a new account."""
    check_new_password(new.password)
    return {
        "login": new.login,
        "login_key": fold_new(new.login, "/login"),
        "email": new.email,
        "email_key": fold_new(new.email, "/email") if new.email else None,
        "first_name": new.first_name,
        "last_name": new.last_name,
        "role": new.role,
        "password_hash": await hasher.hash(new.password, salt=salt),
        "created_at": origin.at,
    }


def name_taken(name: str) -> Conflict:
    """The error of a `login` or `email` that another account has."""
    return Conflict(f"this {name} is taken", code=f"{name}_taken")
