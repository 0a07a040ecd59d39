"""Accounts of the application under test, with sessions."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from service.deps import Deps
from service.security.passwords import Hasher
from service.security.tokens import Claims, encode_token
from tests.support.command_line import PASSWORD
from tests.support.http_client import Client, User

AddUser = Callable[..., Awaitable[User]]
hashes: dict[int, str] = {}  # of PASSWORD, by log2 of scrypt's N
# Statements of PostgreSQL: nearly every test adds accounts, and an ORM takes four times as long.
ADD_ACCOUNTS = """
    INSERT INTO account (login, login_key, role, password_hash)
    SELECT login, login_key, $3, $4
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS each (login, login_key, number)
    ORDER BY number RETURNING id"""
ADD_SESSIONS = """
    INSERT INTO session (id, account_id, expires_at)
    SELECT id, account_id, $3 FROM unnest($1::uuid[], $2::bigint[]) AS each (id, account_id)"""


async def add_account(deps: Deps, login: str, *, role: str = "user") -> int:
    [account_id] = await add_accounts(deps, login, role=role)
    return account_id


async def add_accounts(deps: Deps, *logins: str, role: str = "user") -> list[int]:
    """Add accounts at once, whose password is PASSWORD; return their ids."""
    phc = await hash_password(deps.hasher)
    keys = [login.casefold() for login in logins]
    async with deps.db.raw() as raw:
        return [row["id"] for row in await raw.fetch(ADD_ACCOUNTS, list(logins), keys, role, phc)]


async def hash_password(hasher: Hasher) -> str:
    """Return the hash of PASSWORD, which is made once for all tests."""
    if hasher.log_n not in hashes:
        hashes[hasher.log_n] = await hasher.hash(PASSWORD, salt=b"0123456789abcdef")
    return hashes[hasher.log_n]


async def add_session(deps: Deps, account_id: int) -> tuple[uuid.UUID, str]:
    """Add a live session of an account; return its id and its token."""
    [added] = await add_sessions(deps, [account_id])
    return added


async def add_sessions(deps: Deps, account_ids: list[int]) -> list[tuple[uuid.UUID, str]]:
    now = datetime.now(UTC)
    claims = [
        Claims(
            user_id=account_id,
            session_id=uuid.uuid4(),
            token_id=uuid.uuid4(),
            issued_at=now,
            expires_at=now + timedelta(minutes=30),
        )
        for account_id in account_ids
    ]
    ids = [each.session_id for each in claims]
    async with deps.db.raw() as raw:
        await raw.execute(ADD_SESSIONS, ids, account_ids, claims[0].expires_at)
    return [(each.session_id, encode_token(deps.tokens, each)) for each in claims]


@pytest.fixture
def add_user(deps: Deps, client: Client) -> AddUser:
    """Makes accounts that are signed in; their password is PASSWORD."""

    async def add(login: str, *, role: str = "user") -> User:
        account_id = await add_account(deps, login, role=role)
        session_id, token = await add_session(deps, account_id)
        return User(account_id, login, token, session_id, client.signed_in(token))

    return add


@pytest.fixture
async def noise(deps: Deps) -> None:
    """Rows of others, so that a missing WHERE shows."""
    await add_sessions(deps, await add_accounts(deps, "noise-1", "noise-2"))


@pytest.fixture
async def user(add_user: AddUser, noise: None) -> User:
    return await add_user("Anna")


@pytest.fixture
async def other_user(add_user: AddUser, noise: None) -> User:
    return await add_user("Boris")


@pytest.fixture
async def admin(add_user: AddUser, noise: None) -> User:
    return await add_user("Root", role="admin")
