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
LIFE = timedelta(minutes=30)  # of sessions and their tokens
hashes: dict[int, str] = {}  # of PASSWORD, by log2 of scrypt's N
# Statements of PostgreSQL: nearly every test adds accounts, and an ORM takes four times as long.
ADD_ACCOUNTS = """
    INSERT INTO account (login, login_key, role, password_hash)
    SELECT login, login_key, $3, $4
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS each (login, login_key, number)
    ORDER BY number RETURNING id, login_key"""
ADD_SESSION = "INSERT INTO session (id, account_id, expires_at) VALUES ($1, $2, $3)"
ADD_BOTH = f"""
    WITH added AS ({ADD_ACCOUNTS}),
    opened AS (
        INSERT INTO session (id, account_id, expires_at)
        SELECT each.id, added.id, $6
        FROM unnest($2::text[], $5::uuid[]) AS each (login_key, id) JOIN added USING (login_key)
    )
    SELECT id FROM added ORDER BY id"""


async def add_account(deps: Deps, login: str, *, role: str = "user") -> int:
    """Add an account whose password is PASSWORD; return its id."""
    phc = await hash_password(deps.hasher)
    async with deps.db.raw() as raw:
        account_id: int = await raw.fetchval(ADD_ACCOUNTS, [login], [login.casefold()], role, phc)
    return account_id


async def hash_password(hasher: Hasher) -> str:
    """Return the hash of PASSWORD, which is made once for all tests."""
    if hasher.log_n not in hashes:
        hashes[hasher.log_n] = await hasher.hash(PASSWORD, salt=b"0123456789abcdef")
    return hashes[hasher.log_n]


async def add_session(deps: Deps, account_id: int) -> tuple[uuid.UUID, str]:
    """Add a live session of an account; return its id and its token."""
    now, session_id = datetime.now(UTC), uuid.uuid4()
    async with deps.db.raw() as raw:
        await raw.execute(ADD_SESSION, session_id, account_id, now + LIFE)
    return session_id, write_token(deps, account_id, session_id, now)


async def add_signed_in(deps: Deps, *logins: str, role: str = "user") -> list[tuple[int, uuid.UUID, str]]:
    """Add accounts with a live session each; return the ids of both and the tokens."""
    phc, now = await hash_password(deps.hasher), datetime.now(UTC)
    keys, session_ids = [login.casefold() for login in logins], [uuid.uuid4() for _ in logins]
    async with deps.db.raw() as raw:
        rows = await raw.fetch(ADD_BOTH, list(logins), keys, role, phc, session_ids, now + LIFE)
    pairs = zip((row["id"] for row in rows), session_ids, strict=True)
    return [(*pair, write_token(deps, *pair, now)) for pair in pairs]


def write_token(deps: Deps, account_id: int, session_id: uuid.UUID, now: datetime) -> str:
    claims = Claims(
        user_id=account_id,
        session_id=session_id,
        token_id=uuid.uuid4(),
        issued_at=now,
        expires_at=now + LIFE,
    )
    return encode_token(deps.tokens, claims)


@pytest.fixture
def add_user(deps: Deps, client: Client) -> AddUser:
    """Makes accounts that are signed in; their password is PASSWORD."""

    async def add(login: str, *, role: str = "user") -> User:
        [(account_id, session_id, token)] = await add_signed_in(deps, login, role=role)
        return User(account_id, login, token, session_id, client.signed_in(token))

    return add


@pytest.fixture
async def noise(deps: Deps) -> None:
    """Rows of others, so that a missing WHERE shows."""
    await add_signed_in(deps, "noise-1", "noise-2")


@pytest.fixture
async def user(add_user: AddUser, noise: None) -> User:
    return await add_user("Anna")


@pytest.fixture
async def other_user(add_user: AddUser, noise: None) -> User:
    return await add_user("Boris")


@pytest.fixture
async def admin(add_user: AddUser, noise: None) -> User:
    return await add_user("Root", role="admin")
