"""Accounts: who may sign in."""

from dataclasses import dataclass
from typing import Any, Literal

from db.database import Database
from db.locks import lock_admins
from db.models import Account
from db.queries import accounts as queries
from db.queries.accounts import AccountRow
from db.queries.auth_events import Origin, insert_auth_event
from service.errors import Conflict, NotFound
from service.security.identifiers import fold, fold_to_store
from service.security.passwords import Hasher, check_new_password
from service.security.rate_limits import network


class NameTaken(Conflict):
    """Another account has this login or e-mail, as its login or as its e-mail."""

    def __init__(self, name: Literal["login", "email"]) -> None:
        super().__init__(f"this {name} is taken", code=f"{name}_taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What a new account is made of. An e-mail given alone is the login too."""

    login: str
    password: str
    email: str | None = None
    first_name: str = ""
    last_name: str = ""
    role: str = "user"


async def create_account(
    db: Database, hasher: Hasher, new: NewAccount, *, salt: bytes, origin: Origin
) -> Account:
    """Create an account. A name that is taken is refused before the password is hashed, which costs much.

    :raises NameTaken: another account has the login or the e-mail
    :raises Invalid: the password is too common, or the login or the e-mail too long
    :raises TooMany: too many passwords wait to be hashed
    """
    values = _columns(new, origin)
    names = [key for key in (values["login_key"], values["email_key"]) if key]
    async with db.read() as session:
        if names_in_use := await queries.select_taken_names(session, names):
            raise _name_taken(values, names_in_use)
    values["password_hash"] = await _hash(hasher, new, salt, origin)
    async with db.transaction() as session:
        account = await queries.insert_account(session, **values)
        if account is None:
            raise _name_taken(values, await queries.select_taken_names(session, names))
        await insert_auth_event(session, "register", account.id, origin)
        return account


def _name_taken(values: dict[str, Any], names_in_use: set[str]) -> NameTaken:
    return NameTaken("login" if values["login_key"] in names_in_use else "email")


async def create_first_admin(
    db: Database, hasher: Hasher, new: NewAccount, *, salt: bytes, origin: Origin
) -> Account | None:
    """Create an admin's account. If there is an active admin already, do nothing and return None.

    :raises NameTaken: another account has the login
    """
    async with db.read() as session:
        if await queries.select_any_admin(session) is not None:
            return None
    values = _columns(new, origin)
    values["password_hash"] = await _hash(hasher, new, salt, origin)
    async with db.transaction() as session:
        await lock_admins(session)
        if await queries.select_any_admin(session) is not None:
            return None
        account = await queries.insert_account(session, **{**values, "role": "admin"})
        if account is None:
            raise NameTaken("login")
        await insert_auth_event(session, "register", account.id, origin)
        return account


async def is_admin(db: Database, login: str) -> bool:
    """Return whether a login or an e-mail is that of an active admin."""
    async with db.read() as session:
        account = await queries.select_account_by_name(session, fold(login))
    return account is not None and account.active and account.role == "admin"


async def has_accounts(db: Database) -> bool:
    """Return whether there is any account."""
    async with db.read() as session:
        return await queries.has_accounts(session)


async def get_account(db: Database, account_id: int) -> AccountRow:
    """Return an account.

    :raises NotFound: there is no such account
    """
    async with db.raw() as raw:
        account = await queries.select_account_row(raw, account_id)
    if account is None:
        raise NotFound(f"no user {account_id}")
    return account


async def list_accounts(
    db: Database, *, after: tuple[int] | None, limit: int, offset: int
) -> list[AccountRow]:
    """List accounts by id, after the id `after`; one more than `limit` if more follow."""
    last_id = after[0] if after else 0
    async with db.raw() as raw:
        return await queries.select_account_rows(raw, after=last_id, limit=limit + 1, offset=offset)


async def _hash(hasher: Hasher, new: NewAccount, salt: bytes, origin: Origin) -> str:
    client = network(origin.address)
    return await hasher.hash(new.password, salt=salt, client=client, is_sign_up=True)


def _columns(new: NewAccount, origin: Origin) -> dict[str, Any]:
    """Return the columns of a new account's row, but for the hash of its password."""
    check_new_password(new.password, login=new.login)
    return {
        "login": new.login,
        "login_key": fold_to_store(new.login, "/login"),
        "email": new.email,
        "email_key": fold_to_store(new.email, "/email") if new.email else None,
        "first_name": new.first_name,
        "last_name": new.last_name,
        "role": new.role,
        "created_at": origin.at,
    }
