import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from db import engine
from db.database import Database
from db.engine import TIMEOUTS, PoolTimeouts
from db.models import Account, AuthEvent, Base

NOW = text("SELECT now()")  # when the transaction began
ALWAYS_PINGS = PoolTimeouts(trusted_idle=0)


async def add_account(session: AsyncSession, login: str) -> None:
    await session.execute(insert(Account).values(login=login, login_key=login, password_hash="a hash"))


async def add_twice(db: Database, login: str) -> None:
    """A transaction that fails in its middle."""
    async with db.transaction() as session:
        await add_account(session, login)
        await add_account(session, login)


async def logins(session: AsyncSession) -> list[str]:
    return list(await session.scalars(select(Account.login).order_by(Account.login)))


@asynccontextmanager
async def pool_of_one(url: str, timeouts: PoolTimeouts = TIMEOUTS) -> AsyncIterator[Database]:
    """Open a pool of one: each user gets the connection of the one before."""
    db = Database.connect(url, pool_size=1, timeouts=timeouts)
    yield db
    await db.close()


@pytest.fixture
async def single(committed_url: str) -> AsyncIterator[Database]:
    async with pool_of_one(committed_url) as db:
        yield db


@pytest.fixture
async def pinging(committed_url: str) -> AsyncIterator[Database]:
    """A pool of one that pings its connection before each use."""
    async with pool_of_one(committed_url, ALWAYS_PINGS) as db:
        yield db


async def end_backend(db: Database, url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """End the one connection of `db` from the server's side, as a restart does. Returns it."""
    async with db.read() as session:
        raw = await (await session.connection()).get_raw_connection()
        ended = raw.driver_connection
        assert isinstance(ended, asyncpg.Connection)
    closed = asyncio.Event()
    ended.add_termination_listener(lambda _: closed.set())
    other = await asyncpg.connect(url)
    assert await other.fetchval("SELECT pg_terminate_backend($1, 5000)", ended.get_server_pid())
    await other.close()
    await asyncio.wait_for(closed.wait(), 5)
    assert ended.is_closed()
    return ended


async def test_a_read_is_not_a_transaction(single: Database) -> None:
    async with single.read() as session:
        assert await session.scalar(NOW) != await session.scalar(NOW)


async def test_a_transaction_after_a_read_is_one(single: Database) -> None:
    async with single.read() as session:
        assert await logins(session) == []
    async with single.transaction() as session:
        assert await session.scalar(NOW) == await session.scalar(NOW)
        await add_account(session, "anna")
    with pytest.raises(IntegrityError):
        await add_twice(single, "boris")
    async with single.read() as session:
        assert await logins(session) == ["anna"]
        assert await session.scalar(NOW) != await session.scalar(NOW)


async def test_rows_outlive_their_read(single: Database) -> None:
    async with single.transaction() as session:
        await add_account(session, "anna")
    async with single.read() as session:
        account = await session.scalar(select(Account))
    assert account is not None
    assert (account.login, account.role) == ("anna", "user")


async def test_a_read_that_fails_or_is_cancelled_gives_its_connection_back(single: Database) -> None:
    async def read(statement: str) -> object:
        async with single.read() as session:
            return await session.scalar(text(statement))

    with pytest.raises(DBAPIError):
        await read("SELECT 1 / 0")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await read("SELECT pg_sleep(60)")
    assert await read("SELECT 1") == 1


async def test_the_first_read_after_a_restart_succeeds(single: Database, committed_url: str) -> None:
    await end_backend(single, committed_url)
    async with single.read() as session:
        assert await logins(session) == []


async def test_the_first_transaction_after_a_restart_succeeds(single: Database, committed_url: str) -> None:
    await end_backend(single, committed_url)
    async with single.transaction() as session:
        await add_account(session, "anna")
        assert await logins(session) == ["anna"]


async def test_a_raw_connection_is_of_the_pool_and_in_no_transaction(single: Database) -> None:
    async with single.transaction() as session:
        await add_account(session, "anna")
        backend = await session.scalar(text("SELECT pg_backend_pid()"))
    async with single.raw() as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") == backend
        assert await connection.fetchval("SELECT login FROM account WHERE id > $1", 0) == "anna"
        assert await connection.fetchval("SELECT now()") != await connection.fetchval("SELECT now()")
    async with single.read() as session:
        assert await logins(session) == ["anna"]


async def test_a_raw_connection_whose_read_fails_or_is_cancelled_gives_its_place_back(
    single: Database,
) -> None:
    async def read(statement: str) -> object:
        async with single.raw() as connection:
            return await connection.fetchval(statement)

    backend = await read("SELECT pg_backend_pid()")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await read("SELECT 1 / 0")
    assert await read("SELECT pg_backend_pid()") == backend
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await read("SELECT pg_sleep(60)")
    assert await read("SELECT pg_backend_pid()") != backend


async def test_a_raw_connection_that_is_lost_is_a_connection_error_and_replaced(
    single: Database, committed_url: str
) -> None:
    async with single.raw() as connection:
        await connection.fetchval("SELECT 1")
    await end_backend(single, committed_url)

    async def lose() -> None:
        async with single.raw() as connection:
            await connection.close()
            await connection.fetchval("SELECT 1")

    async with single.raw() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    with pytest.raises(ConnectionError):
        await lose()
    async with single.raw() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_raw_connection_is_waited_for_no_longer_than_others(committed_url: str) -> None:
    async with pool_of_one(committed_url, PoolTimeouts(wait=0.05)) as single, single.raw():
        with pytest.raises(PoolTimeout):
            async with single.raw():
                pass


async def test_a_ping_finds_a_server_that_vanished_without_closing(
    pinging: Database, committed_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = await end_backend(pinging, committed_url)
    is_closed = asyncpg.Connection.is_closed
    # Undone before `ended` is deleted: its __del__ calls is_closed().
    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Connection, "is_closed", lambda this: this is not ended and is_closed(this))
        async with pinging.read() as session:
            assert await logins(session) == []


async def test_a_ping_that_is_answered_keeps_the_connection(pinging: Database) -> None:
    backends = set()
    for open_session in (pinging.read, pinging.transaction, pinging.read):
        async with open_session() as session:
            backends.add(await session.scalar(text("SELECT pg_backend_pid()")))
    assert len(backends) == 1


async def test_the_pool_lends_the_connection_that_was_used_last(committed_url: str) -> None:
    db = Database.connect(committed_url, pool_size=3)
    async with db.raw() as last:
        pid = last.get_server_pid()
        async with db.raw(), db.raw():
            pass
    for _ in range(4):
        async with db.raw() as raw:
            assert raw.get_server_pid() == pid
    await db.close()


async def test_postgresql_closes_connections_of_the_pool_that_are_idle_for_long_and_no_others(
    single: Database,
) -> None:
    closed = asyncio.Event()
    async with single.raw() as raw:
        assert await raw.fetchval("SHOW idle_session_timeout") == "5min"
        raw.add_termination_listener(lambda _: closed.set())
        await raw.execute("SET idle_session_timeout = '1ms'")
    await closed.wait()
    async with single.raw() as other:
        assert await other.fetchval("SELECT 1") == 1
    async with single.dedicated() as session:
        assert await session.scalar(text("SHOW idle_session_timeout")) == "0"


async def test_a_connection_that_was_in_use_just_now_is_not_pinged(
    single: Database, pinging: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings = []
    monkeypatch.setattr(engine, "await_only", lambda ping: pings.append(ping.close()))
    for db, count in ((single, 0), (pinging, 2)):  # a new connection is not pinged either
        for _ in range(3):
            async with db.read() as session:
                await logins(session)
        assert len(pings) == count


async def test_a_bound_database_reads_what_its_connection_wrote(db: Database) -> None:
    async with db.transaction() as session:
        await add_account(session, "anna")
    async with db.raw() as connection:
        assert await connection.fetchval("SELECT login FROM account") == "anna"
    async with db.read() as session:
        assert await logins(session) == ["anna"]


async def test_errors_hold_no_parameters(db: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        await add_twice(db, "anna")
    assert "a hash" not in str(caught.value)


@pytest.mark.parametrize("address", ["198.51.100.7", "2001:db8::1"])
async def test_addresses_are_text(db: Database, address: str) -> None:
    async with db.transaction() as session:
        await session.execute(insert(AuthEvent).values(type="login", address=address))
        assert await session.scalar(select(AuthEvent.address)) == address
        array = await session.scalar(text("SELECT CAST(:all AS inet[])"), {"all": [address, None]})
        assert array == [address, None]


async def test_the_migrations_make_the_models_tables(db: Database) -> None:
    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)

    async with db.transaction() as session:
        assert await (await session.connection()).run_sync(differences) == []
        index = await session.scalar(
            text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_live_visit_user_id'")
        )
    assert "(user_id, occurred_at, request_id) WHERE (user_id IS NOT NULL)" in index


async def test_a_dedicated_transaction_that_is_cancelled_at_its_end_closes_its_connection_in_silence(
    committed_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    for steps in range(40):
        reached = asyncio.Event()

        async def use(reached: asyncio.Event = reached) -> None:
            async with committed_db.dedicated() as session:
                await session.execute(NOW)
                reached.set()

        task = asyncio.create_task(use())
        await asyncio.wait_for(reached.wait(), 10)
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert caplog.text == ""
