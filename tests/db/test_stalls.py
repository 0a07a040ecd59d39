"""Connections are given up when the machine at their other end vanishes, or its PostgreSQL falls silent."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from db.bulk import copy_rows
from db.database import Database
from db.outages import is_outage
from db.stalls import KEEPALIVE_OPTIONS, StallTimes
from embedded.postgres import SETTINGS, Postgres
from tests.support.database_over_tcp import over_tcp
from tests.support.own_servers import OwnServer, own_postgres
from tests.support.processes import PATIENCE, eventually
from tests.support.stand import short_folder

QUICK = StallTimes(tick=0.05)  # a second of silence
PROBES = "keepalives_idle", "keepalives_interval", "keepalives_count", "user_timeout"
ONE = text("SELECT 1")
MEGABYTE = memoryview(bytes(2**20))


@pytest.mark.parametrize("kind", ["pool", "dedicated"])
async def test_a_connection_over_tcp_is_probed_when_it_is_silent(database_url: str, kind: str) -> None:
    if not urlsplit(database_url).query:
        pytest.skip("DATABASE_URL names a server that is not a Unix socket's")
    async with over_tcp(database_url) as url:
        db = Database.connect(url, pool_size=1)
        if kind == "pool":
            async with db.raw() as raw:
                options = socket_options(raw)
        else:
            async with db.dedicated() as session:
                connection = await (await session.connection()).get_raw_connection()
                options = socket_options(connection.driver_connection)
        assert options == {socket.SO_KEEPALIVE: 1, **KEEPALIVE_OPTIONS}
        await db.close()


class TcpPostgres(Postgres):
    """Listens on an address of this machine that no other PostgreSQL has."""

    address = f"127.77.{os.getpid() // 256 % 256}.{os.getpid() % 256}"
    settings: ClassVar = {**SETTINGS, "listen_addresses": address}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pool", "dedicated"])
async def test_the_server_ends_sessions_of_a_machine_that_vanished(kind: str) -> None:
    """Their locks would keep others from what it did: it asks as often as the client does."""
    with short_folder() as folder:
        server = OwnServer(TcpPostgres(folder / "postgres"))
        await server.start()
        try:
            db = Database.connect(f"postgresql://trawl@{TcpPostgres.address}/trawl", pool_size=1)
            async with db.transaction() if kind == "pool" else db.dedicated() as session:
                rows = [await session.scalar(text(f"SHOW tcp_{name}")) for name in PROBES]
            await db.close()
        finally:
            await server.end(signal.SIGINT)
    assert rows == ["4", "2", "3", "10000"]


def socket_options(raw: object) -> dict[int, int]:
    sock = attrgetter("_transport")(raw).get_extra_info("socket")
    values = {option: sock.getsockopt(socket.IPPROTO_TCP, option) for option in KEEPALIVE_OPTIONS}
    return {socket.SO_KEEPALIVE: sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), **values}


@pytest.fixture(scope="module")
async def postgres() -> AsyncIterator[OwnServer]:
    """A PostgreSQL that may be stopped."""
    with short_folder() as folder, own_postgres(folder) as server:
        await server.start()
        yield server


@asynccontextmanager
async def open_pool(url: str, times: StallTimes = QUICK) -> AsyncIterator[Database]:
    db = Database.connect(url, pool_size=3, stall_times=times)
    yield db
    await db.close()


async def read(db: Database, until: asyncio.Event) -> None:
    async with db.read() as session:
        await session.execute(ONE)
        await until.wait()
        await session.execute(ONE)


async def transact(db: Database, until: asyncio.Event) -> None:
    async with db.transaction() as session:
        await session.execute(ONE)
        await until.wait()
        await session.execute(ONE)


async def read_raw(db: Database, until: asyncio.Event) -> None:
    async with db.raw_snapshot() as raw:
        await until.wait()
        await raw.fetchval("SELECT 1")


async def copy(db: Database, until: asyncio.Event) -> None:
    """Send a gigabyte, which waits until it may write."""
    async with db.dedicated() as session:
        await session.execute(text("CREATE TEMPORARY TABLE piece (data bytea) ON COMMIT DROP"))
        await until.wait()
        await copy_rows(session, "piece", ["data"], (MEGABYTE for _ in range(1000)))


Use = Callable[[Database, asyncio.Event], Awaitable[None]]


@pytest.mark.parametrize("use", [read, transact, read_raw, copy])
async def test_what_waits_for_a_database_that_falls_silent_ends_and_the_pool_is_whole_again(
    postgres: OwnServer, use: Use
) -> None:
    async with asyncio.timeout(PATIENCE), open_pool(postgres.url) as db:
        silence = asyncio.Event()
        work = [asyncio.ensure_future(use(db, silence)) for _ in range(2)]
        async with db.raw() as raw:
            await raw.fetchval("SELECT 1")
        with postgres.stopped():
            silence.set()
            for result in await asyncio.gather(*work, return_exceptions=True):
                assert isinstance(result, Exception)
                assert is_outage(result)
            [result] = await asyncio.gather(transact(db, silence), return_exceptions=True)
            assert isinstance(result, Exception)
            assert is_outage(result)
        await until_it_answers(db)
        assert db.pool_counts()[0] == 0


async def until_it_answers(db: Database) -> None:
    while True:
        try:
            async with db.raw() as raw:
                assert await raw.fetchval("SELECT 1") == 1
                return
        except OSError:
            await asyncio.sleep(0.05)


async def test_a_statement_may_take_longer_than_a_silence(database_url: str) -> None:
    async with open_pool(database_url, StallTimes(tick=0.1)) as db, db.raw() as raw:
        await raw.fetchval("SELECT pg_sleep(4)")  # ten probes, each answered within two seconds
        assert await raw.fetchval("SELECT 1") == 1


async def test_a_process_that_was_stopped_itself_does_not_take_that_for_silence(database_url: str) -> None:
    async with open_pool(database_url, QUICK) as db, db.raw() as raw:
        await asyncio.sleep(0.25)
        time.sleep(3)  # noqa: ASYNC251 - the loop stands still, as it does in a stopped process
        assert await raw.fetchval("SELECT 1") == 1


async def test_a_connection_idle_before_a_silence_is_not_used_after_it(postgres: OwnServer) -> None:
    async with asyncio.timeout(PATIENCE), open_pool(postgres.url) as db:
        async with db.raw() as raw:
            pid = await raw.fetchval("SELECT pg_backend_pid()")
        silence = asyncio.Event()
        work = asyncio.ensure_future(read(db, silence))
        async with db.raw():
            pass
        with postgres.stopped():
            silence.set()
            await asyncio.gather(work, return_exceptions=True)
        await until_it_answers(db)
        async with db.raw() as raw:
            assert await raw.fetchval("SELECT pg_backend_pid()") != pid


async def test_a_pool_that_is_at_rest_asks_nothing(database_url: str) -> None:
    async with open_pool(database_url, StallTimes(tick=0.01, interval=1)) as db:
        async with db.raw() as raw:
            await raw.fetchval("SELECT pg_sleep(0.1)")
        assert await asyncio.to_thread(eventually, lambda: attrgetter("_watch._timer")(db) is None)
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "probe of the database"]


def test_silence_ends_a_wait_within_ten_seconds() -> None:
    times = StallTimes()
    assert times.tick * (times.interval + times.timeout) <= 7  # and 2 s to wait for a connection, and a ping
