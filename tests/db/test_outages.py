"""A server that says goodbye, before its end of the connection is closed."""

import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from operator import attrgetter

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.database import Database
from db.engine import TIMEOUTS, PoolTimeouts
from db.outages import describe, is_lasting, is_outage, refuses_value

STATE = b"SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
GOODBYE = b"E" + struct.pack("!i", len(STATE) + 4) + STATE
ONE = text("SELECT 1")


@asynccontextmanager
async def deserted(url: str, timeouts: PoolTimeouts = TIMEOUTS) -> AsyncIterator[Database]:
    """Open a pool of one connection, on which the server has said goodbye and not yet hung up."""
    db = Database.connect(url, pool_size=1, timeouts=timeouts)
    async with db.raw() as connection:
        attrgetter("_protocol")(connection).data_received(GOODBYE)
        assert not connection.is_closed()
    yield db
    await db.close()


@pytest.fixture
async def broken_db(database_url: str) -> AsyncIterator[Database]:
    async with deserted(database_url) as db:
        yield db


async def read(db: Database) -> object:
    async with db.read() as session:
        return await session.scalar(ONE)


async def transact(db: Database) -> object:
    async with db.transaction() as session:
        return await session.scalar(ONE)


async def read_raw(db: Database) -> object:
    async with db.raw() as connection:
        return await connection.fetchval("SELECT 1")


@pytest.mark.parametrize("use", [read, transact, read_raw])
async def test_a_server_that_leaves_is_an_outage_for_one_request_alone(
    broken_db: Database, use: Callable[[Database], Awaitable[object]]
) -> None:
    with pytest.raises((ConnectionError, DBAPIError)) as caught:
        await use(broken_db)
    assert is_outage(caught.value)
    assert await use(broken_db) == 1


async def test_a_ping_finds_a_server_that_leaves(database_url: str) -> None:
    async with deserted(database_url, PoolTimeouts(trusted_idle=0)) as broken_db:
        assert await read(broken_db) == 1


async def test_a_value_that_the_driver_refuses_is_no_outage(database_url: str) -> None:
    async with deserted(database_url, PoolTimeouts(trusted_idle=0)) as db, db.raw() as connection:
        with pytest.raises(asyncpg.PostgresError, match="invalid input for query argument") as caught:
            await connection.fetchval("SELECT $1::int", "secret")
    assert (is_outage(caught.value), refuses_value(caught.value)) == (False, True)
    assert describe(caught.value) == "DataError (22000)"


async def test_a_connection_that_ends_under_a_statement_is_not_given_to_the_next(broken_db: Database) -> None:
    with pytest.raises(DBAPIError):
        await read(broken_db)
    end = text("SELECT pg_terminate_backend(pg_backend_pid())")
    for open_session in (broken_db.read, broken_db.transaction):
        with pytest.raises(Exception, match="terminating connection") as caught:
            async with open_session() as session:
                await session.scalar(end)
        assert is_outage(caught.value)
        assert await read(broken_db) == 1


RAISE = "DO $$ BEGIN RAISE EXCEPTION '{}' USING ERRCODE = '{}'; END $$"


@pytest.mark.parametrize(
    ("message", "state", "is_lost"),
    [
        ("failure on connection marked as essential: worker-1.example:5432", "XX000", True),
        ("failed to prepare transaction ''citus_0_1_2_3'' on host worker-1.example:5432", "XX000", True),
        ("could not commit transaction for shard 102010 on at least one active node", "XX000", True),
        ("terminating connection due to unexpected postmaster exit", "XX000", True),
        ("failed to COPY to shard 102010 on worker-1.example:5432", "58030", True),
        ("failed to complete COPY on worker-1.example:5432", "58030", True),
        ("duplicate key value violates unique constraint", "XX000", False),
        ("could not read block 7 in file", "58030", False),
        ("failed to complete COPY on worker-1.example:5432", "23505", False),
    ],
)
async def test_a_worker_that_a_cluster_loses_is_an_outage(
    database_url: str, message: str, state: str, is_lost: bool
) -> None:
    """And no lasting error, with which an import would fail."""
    db = Database.connect(database_url)
    with pytest.raises(DBAPIError) as caught:
        async with db.transaction() as session:
            await session.execute(text(RAISE.format(message, state)))
    assert (is_outage(caught.value), is_lasting(caught.value)) == (is_lost, not is_lost)
    await db.close()


async def test_a_host_without_a_name_or_a_primary_is_an_outage_as_a_refusal_is(database_url: str) -> None:
    """The name of a container goes with it when it is stopped; no host is the primary during a failover."""
    nameless = "postgresql://trawl@nowhere.invalid/trawl"
    for url in (nameless, f"{database_url}&target_session_attrs=standby"):
        db = Database.connect(url)
        with pytest.raises(ConnectionError) as error:
            async with db.raw():
                pass
        assert is_outage(error.value)
        await db.close()
