import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from db.database import Database
from db.models import Account
from service.accounts.accounts import NewAccount, create_account, create_first_admin, is_admin
from service.accounts.authentication import Origin
from service.errors import Conflict, Invalid
from service.security.passwords import Hasher
from tests.support.http_client import User

HASHER = Hasher(log_n=4)
NEW = NewAccount(login="Root", password="a good password", role="admin")
SALT = bytes(16)


async def ensure(db: Database, new: NewAccount = NEW) -> Account | None:
    return await create_first_admin(db, HASHER, new, salt=SALT, origin=Origin(datetime.now(UTC)))


async def test_an_admin_is_made_where_there_is_none(db: Database, noise: None) -> None:
    admin = await ensure(db)
    assert admin is not None
    assert (admin.role, admin.login) == ("admin", "Root")
    assert await ensure(db, NewAccount(login="Other", password="a good password")) is None


async def test_an_admin_who_was_closed_does_not_count(db: Database, noise: None) -> None:
    admin = await ensure(db)
    assert admin is not None
    async with db.transaction() as session:
        session.add(admin)
        admin.active = False
    assert await ensure(db, NewAccount(login="Other", password="a good password")) is not None


async def test_an_admin_is_told_from_a_user_and_from_one_who_was_closed(
    db: Database, user: User, admin: User
) -> None:
    assert [await is_admin(db, login) for login in ("ROOT", "anna", "nobody")] == [True, False, False]
    async with db.transaction() as session:
        await session.execute(update(Account).where(Account.id == admin.id).values(active=False))
    assert not await is_admin(db, "root")


async def test_one_of_many_servers_that_start_makes_the_admin(committed_db: Database) -> None:
    news = [NewAccount(login=f"Root{number}", password="a good password") for number in range(5)]
    admins = await asyncio.gather(*(ensure(committed_db, new) for new in news))
    assert sum(admin is not None for admin in admins) == 1


async def test_the_login_of_another_is_not_taken_for_the_admin(db: Database, user: User) -> None:
    with pytest.raises(Conflict):
        await ensure(db, NewAccount(login="anna", password="a good password"))


async def test_an_admins_password_is_a_good_one_too(db: Database) -> None:
    with pytest.raises(Invalid):
        await ensure(db, NewAccount(login="Root", password="password"))


async def test_registering_says_when(db: Database) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    account = await create_account(db, HASHER, NEW, salt=SALT, origin=Origin(at))
    assert (account.created_at, account.role) == (at, "admin")
