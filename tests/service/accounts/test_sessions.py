"""Sign-ins that meet a change of the password: one of the two sees the other."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from db.database import Database
from db.models import Account, Session
from db.queries.accounts import update_password_hash
from db.queries.auth_events import Origin
from db.queries.sessions import delete_sessions, insert_session

OLD, NEW = "the old hash", "the new hash"


@pytest.fixture
async def account_id(committed_db: Database) -> int:
    async with committed_db.transaction() as session:
        account = Account(login="anna", login_key="anna", password_hash=OLD)
        session.add(account)
        session.add(Account(login="noise", login_key="noise", password_hash=OLD))
        await session.flush()
        return account.id


async def sign_in(db: Database, account_id: int, password_hash: str) -> bool:
    origin = Origin(datetime.now(UTC), "192.0.2.1", "phone/1.0")
    expires_at = origin.at + timedelta(minutes=30)
    async with db.transaction() as session:
        return await insert_session(
            session,
            uuid.uuid4(),
            account_id,
            password_hash=password_hash,
            expires_at=expires_at,
            origin=origin,
        )


async def test_a_sign_in_waits_for_a_new_password_and_then_needs_it(
    committed_db: Database, account_id: int
) -> None:
    async with committed_db.transaction() as session:
        assert await update_password_hash(session, account_id, old=OLD, new=NEW)
        await delete_sessions(session, account_id)
        with_old = asyncio.create_task(sign_in(committed_db, account_id, OLD))
        with_new = asyncio.create_task(sign_in(committed_db, account_id, NEW))
        await asyncio.sleep(0.1)
        assert not with_old.done()
    assert not await with_old
    assert await with_new or await sign_in(committed_db, account_id, NEW)
    async with committed_db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Session)) == 1


async def test_a_session_is_opened_for_an_active_account_alone(
    committed_db: Database, account_id: int
) -> None:
    assert await sign_in(committed_db, account_id, OLD)
    async with committed_db.transaction() as session:
        await session.execute(update(Account).where(Account.id == account_id).values(active=False))
    assert not await sign_in(committed_db, account_id, OLD)
    assert not await sign_in(committed_db, 10**15, OLD)
    async with committed_db.transaction() as session:
        row = (await session.scalars(select(Session))).one()
    assert (row.account_id, str(row.address), row.agent) == (account_id, "192.0.2.1", "phone/1.0")
