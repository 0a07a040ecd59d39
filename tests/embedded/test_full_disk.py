"""The embedded PostgreSQL on a disk that fills up: nothing that was acknowledged is lost."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from embedded.disk_guard import MIB
from embedded.postgres import Postgres
from tests.support.own_servers import OwnServer
from tests.support.processes import PATIENCE
from tests.support.small_disk import fill, small_disk

pytestmark = pytest.mark.slow

ROWS = 2000
UPDATE = "UPDATE t SET number = $1, filler = repeat(chr(97 + $1 % 20), 500)"


@pytest.fixture
def disk(short_dir: Path) -> Iterator[Path]:
    with small_disk(short_dir / "disk", "400m") as disk:
        yield disk


@pytest.fixture
async def server(disk: Path) -> AsyncIterator[OwnServer]:
    server = OwnServer(Postgres(disk / "postgres"))
    await server.start()
    yield server
    server.stop()


async def wait_until_ready(server: OwnServer) -> asyncpg.Connection:
    """Watch the server as its owner does, until it takes a connection."""
    end = time.monotonic() + PATIENCE
    while True:
        server._supervisor.watch()
        try:
            return await asyncpg.connect(server.url)
        except (OSError, asyncpg.PostgresError):
            assert time.monotonic() < end, "PostgreSQL does not come back"
            await asyncio.sleep(0.02)


async def update_until_cut_off(connection: asyncpg.Connection) -> int:
    """Write some megabyte of PostgreSQL's own log a time; return the last number that was acknowledged."""
    for number in range(1, 1000):
        try:
            await connection.execute(UPDATE, number)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return number - 1
    raise AssertionError("the disk is not full")


async def test_rows_that_find_no_room_are_refused_and_the_server_goes_on(
    server: OwnServer, disk: Path
) -> None:
    connection = await asyncpg.connect(server.url)
    await connection.execute("CREATE TABLE t (number int, filler text)")
    process = server._supervisor._process
    filler = await asyncio.to_thread(fill, disk)
    for number in range(20):
        with pytest.raises(asyncpg.DiskFullError):
            await connection.execute("INSERT INTO t SELECT $1, repeat('x', 2000)", number)
    assert await connection.fetchval("SELECT count(*) FROM t") == 0
    await asyncio.to_thread(filler.unlink)
    await connection.execute("INSERT INTO t VALUES (1)")
    server._supervisor.watch()
    assert server._supervisor._process is process
    await connection.close()


async def test_wal_that_finds_no_room_ends_the_server_until_there_is_some_and_loses_nothing(
    server: OwnServer, disk: Path
) -> None:
    connection = await asyncpg.connect(server.url)
    await connection.execute("CREATE TABLE t (number int, filler text) WITH (fillfactor = 30)")
    await connection.execute(f"INSERT INTO t SELECT 0, repeat('x', 500) FROM generate_series(1, {ROWS})")
    filler = await asyncio.to_thread(fill, disk)
    acknowledged = await update_until_cut_off(connection)
    await connection.close()
    await asyncio.to_thread(filler.unlink)
    connection = await wait_until_ready(server)
    numbers = await connection.fetch("SELECT number, count(*) FROM t GROUP BY number")
    # The statement that was cut off may have been committed, or not.
    assert [(row["number"] - acknowledged in (0, 1), row["count"]) for row in numbers] == [(True, ROWS)]
    await connection.execute(UPDATE, 1000)
    await connection.close()


async def read_only(connection: asyncpg.Connection) -> bool:
    setting: str = await connection.fetchval("SHOW default_transaction_read_only")
    return setting == "on"


async def watch_until(server: OwnServer, connection: asyncpg.Connection, *, is_read_only: bool) -> None:
    """Watch the server as its owner does, until it has read its configuration."""
    end = time.monotonic() + PATIENCE
    while await read_only(connection) != is_read_only:
        assert time.monotonic() < end, "the guard does not look"
        server._supervisor.watch()
        await asyncio.sleep(0.02)


async def fill_by_writing(server: OwnServer, connection: asyncpg.Connection) -> int:
    """Let a table and PostgreSQL's own log fill the disk; return the last number that was acknowledged."""
    number = 0
    try:
        for number in range(1, 1000):
            await connection.execute(UPDATE, number)
            await connection.execute("CREATE TABLE IF NOT EXISTS more AS SELECT * FROM t")
            await connection.execute("INSERT INTO more SELECT * FROM t")
            server._supervisor.watch()
    except asyncpg.ReadOnlySQLTransactionError:
        return number - 1
    raise AssertionError("writes are not refused")


async def test_before_the_log_finds_no_room_writes_are_refused_and_reads_go_on(
    server: OwnServer, disk: Path
) -> None:
    connection = await asyncpg.connect(server.url)
    await connection.execute("CREATE TABLE t (number int, filler text) WITH (fillfactor = 30)")
    await connection.execute(f"INSERT INTO t SELECT 0, repeat('x', 500) FROM generate_series(1, {ROWS})")
    process = server._supervisor._process
    acknowledged = await fill_by_writing(server, connection)
    assert os.statvfs(disk).f_bavail > 0
    await watch_until(server, connection, is_read_only=True)
    numbers = await connection.fetch("SELECT DISTINCT number FROM t")
    assert [row["number"] - acknowledged in (0, 1) for row in numbers] == [True]
    assert (server._supervisor._process, process.poll() if process else 0) == (process, None)
    await connection.close()


async def test_there_are_writes_again_once_there_is_room(server: OwnServer, disk: Path) -> None:
    connection = await asyncpg.connect(server.url)
    await connection.execute("CREATE TABLE t (number int)")
    filler = disk / "filler"
    filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 32 * MIB))
    await watch_until(server, connection, is_read_only=True)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await connection.execute("INSERT INTO t VALUES (1)")
    filler.unlink()
    await watch_until(server, connection, is_read_only=False)
    await connection.execute("INSERT INTO t VALUES (1)")
    await connection.close()


async def test_a_start_on_a_full_disk_serves_reads(server: OwnServer, disk: Path) -> None:
    filler = disk / "filler"
    filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 48 * MIB))
    await server.end(signal.SIGINT)
    await server.start()
    connection = await asyncpg.connect(server.url)
    assert await read_only(connection)
    await connection.close()
