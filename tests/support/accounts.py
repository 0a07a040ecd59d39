"""Accounts of the application under test, with sessions."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from db.models import Account, Session
from service.deps import Deps
from service.security.tokens import Claims, encode_token
from tests.support.command_line import PASSWORD
from tests.support.http_client import Client, User

AddUser = Callable[..., Awaitable[User]]


async def add_account(deps: Deps, login: str, *, role: str = "user") -> int:
    phc = await deps.hasher.hash(PASSWORD, salt=b"0123456789abcdef")
    async with deps.db.transaction() as session:
        values = {"login": login, "login_key": login.casefold(), "role": role, "password_hash": phc}
        added = await session.scalars(insert(Account).values(values).returning(Account.id))
        return added.one()


async def add_session(deps: Deps, account_id: int) -> tuple[uuid.UUID, str]:
    """A live session of an account, and its token."""
    now = datetime.now(UTC)
    claims = Claims(
        user_id=account_id,
        session_id=uuid.uuid4(),
        token_id=uuid.uuid4(),
        issued_at=now,
        expires_at=now + timedelta(minutes=30),
    )
    values = {"id": claims.session_id, "account_id": account_id, "expires_at": claims.expires_at}
    async with deps.db.transaction() as session:
        await session.execute(insert(Session).values(values))
    return claims.session_id, encode_token(deps.tokens, claims)


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
    for login in ("noise-1", "noise-2"):
        account_id = await add_account(deps, login)
        await add_session(deps, account_id)


@pytest.fixture
async def user(add_user: AddUser, noise: None) -> User:
    return await add_user("Anna")


@pytest.fixture
async def other_user(add_user: AddUser, noise: None) -> User:
    return await add_user("Boris")


@pytest.fixture
async def admin(add_user: AddUser, noise: None) -> User:
    return await add_user("Root", role="admin")
