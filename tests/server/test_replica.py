"""A replica that serves reads: stopped, killed, paused, behind and back, under load.

Nobody ever misses its own writes.
"""

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
import asyncpg
import pytest

from commands.doctor import check_replica
from db.database import Database
from tests.support.command_line import PASSWORD
from tests.support.http_client import Answer, Client
from tests.support.own_servers import OwnServer
from tests.support.processes import patience
from tests.support.replica import replay
from tests.support.stand import Stand, make_stand

pytestmark = pytest.mark.slow

LIMIT = 1.0  # seconds for which reads may fail, when the replica goes away
SLOWNESS = 5  # of a busy machine
EXPORT = "/visits/export"
# Whether a transaction has ended since then: what looks how far the replica is begins none.
SERVES = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE
            query_start > $1 AND (query = 'COMMIT' OR query LIKE '%FROM live_visit AS visit%')
            AND datname = current_database()
    )"""
READS = (
    "/visits?limit=5",
    "/visits/stats?group_by=page",
    "/report/1",
    EXPORT,
    "/events",
    "/tasks",
)


@pytest.fixture(scope="module")
async def stand() -> AsyncIterator[Stand]:
    async with make_stand(
        with_replica=True,
        WORKERS="2",
        INGEST_RATE_LIMIT_PER_MINUTE="0",
        ADMIN_LOGIN="anna",
        ADMIN_PASSWORD=PASSWORD,
    ) as made:
        yield made


@pytest.fixture(scope="module")
def replica(stand: Stand) -> OwnServer:
    assert stand.replica is not None
    return stand.replica


@dataclass
class Load:
    """Writes, reads what was written, and reads lists, all the time.

    :param reader: an account that writes nothing: what who writes reads comes from the primary all the time
    """

    client: Client
    reader: Client
    failures: list[tuple[float, str, int]] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)
    answers: int = 0
    writes: int = 0
    tasks: list[asyncio.Future[None]] = field(default_factory=list)

    async def read(self, path: str) -> None:
        for _ in count():
            await self.get(self.reader, path)
            await asyncio.sleep(0.1)

    async def get(self, client: Client, path: str) -> Any:
        self.answers += 1
        try:
            answer = await client.get(path)
        except aiohttp.ClientPayloadError:  # rows were on their way when the replica went
            assert path == EXPORT
            return None
        if answer.status != 200:
            self.failures.append((time.monotonic(), path, answer.status))
            return None
        return answer

    async def write(self, number: int) -> None:
        """Make a task and look for it in the list, delete it and look again; the same with a visit."""
        for turn in count():
            task = await self.change("POST", "/tasks", {"title": f"task {number} {turn}"})
            assert task.status == 201
            await self.look("/tasks?limit=1000", task.json["id"], is_there=True)
            assert (await self.change("DELETE", f"/tasks/{task.json['id']}")).status == 204
            await self.look("/tasks?limit=1000", task.json["id"], is_there=False)
            visit = await self.change("POST", "/visits", {"page_url": f"/page-{number}-{turn}/"})
            assert visit.status == 201
            await self.look(f"/visits?page_url=/page-{number}-{turn}/", visit.json["id"], is_there=True)
            self.writes += 1
            await asyncio.sleep(0.1)

    async def change(self, method: str, path: str, body: object = None) -> Answer:
        """Change something; again while a busy machine has no connection to the primary free."""
        for _ in range(100):
            answer = await self.client.request(method, path, json=body)
            if answer.status != 503:
                break
            await asyncio.sleep(0.2)
        return answer

    async def look(self, path: str, row_id: object, *, is_there: bool) -> None:
        answer = await self.get(self.client, path)
        if answer is not None and (row_id in [each["id"] for each in answer.json["items"]]) != is_there:
            self.misses.append(f"{path} {row_id} {is_there}")


async def until_replica_is(stand: Stand, *states: str) -> None:
    end = time.monotonic() + patience()
    streak = 0  # both workers may answer
    while streak < 8:
        assert time.monotonic() < end
        part = (await stand.client.get("/health")).json["replica"]
        streak = streak + 1 if part["status"] in states else 0
        await asyncio.sleep(0.2)


async def until_replica_serves(replica: OwnServer, reader: Client) -> None:
    """Wait until a read runs there. The primary serves all for a while after Valkey was started."""
    raw = await asyncpg.connect(replica.url)
    end = time.monotonic() + patience()
    begin = await raw.fetchval("SELECT clock_timestamp()")
    while not await raw.fetchval(SERVES, begin):
        assert time.monotonic() < end
        assert (await reader.get("/visits?limit=5")).status == 200
        await asyncio.sleep(0.1)
    await raw.close()


@contextmanager
def running(load: Load) -> Iterator[None]:
    load.tasks = [asyncio.ensure_future(load.read(path)) for path in READS]
    load.tasks += [asyncio.ensure_future(load.write(number)) for number in range(2)]
    try:
        yield
    finally:
        for task in load.tasks:
            task.cancel()


async def await_rounds(load: Load, *, until: float = 0.0) -> None:
    """Wait until all of the load has gone round, once more after the time until which reads may fail."""
    while time.monotonic() < until:
        await await_rounds(load)
    writes, answers = load.writes, load.answers
    end = time.monotonic() + patience()
    while load.writes <= writes + 3 or load.answers <= answers + 20:
        assert time.monotonic() < end
        for task in load.tasks:
            if task.done():
                task.result()
        await asyncio.sleep(0.1)


@asynccontextmanager
async def killed(replica: OwnServer) -> AsyncIterator[None]:
    await replica.end(signal.SIGQUIT)
    try:
        yield
    finally:
        await replica.start()


@pytest.mark.parametrize("how", ["stopped", "killed", "paused"])
async def test_a_replica_that_fails_is_not_missed_and_own_writes_are_always_read(
    stand: Stand, replica: OwnServer, how: str
) -> None:
    await until_replica_is(stand, "ok")
    load = Load(await stand.sign_in_again("anna"), await stand.sign_in("boris"))
    await until_replica_serves(replica, load.reader)
    with running(load):
        await await_rounds(load)
        assert not load.failures
        since = time.monotonic()
        if how == "paused":
            await replay(replica, paused=True)
            await await_rounds(load)
            await until_replica_is(stand, "behind")
            await await_rounds(load)
            await replay(replica, paused=False)
        elif how == "stopped":
            with replica.stopped():
                await until_replica_is(stand, "away")
                await await_rounds(load, until=since + LIMIT * SLOWNESS)
        else:
            async with killed(replica):
                await until_replica_is(stand, "away")
                await await_rounds(load, until=since + LIMIT * SLOWNESS)
        await until_replica_is(stand, "ok")
        await await_rounds(load)
    assert load.misses == []
    assert {status for *_, status in load.failures} <= {503}
    assert [each for each in load.failures if each[0] > since + LIMIT * SLOWNESS] == []


async def test_metrics_tell_of_the_replica(stand: Stand) -> None:
    await until_replica_is(stand, "ok")
    assert stand.samples("trawl_replica_up") == {"": 1}
    assert set(stand.samples("trawl_replica_fall_backs_total")) == {
        f'reason="{reason}"' for reason in ("away", "behind", "own_writes")
    }
    assert set(stand.samples("trawl_replica_lag_seconds")) == {""}


async def test_the_doctor_tells_of_the_replica(stand: Stand, replica: OwnServer) -> None:
    primary = Database.connect(stand.postgres.url)
    finding = await check_replica(primary, replica.url)
    assert re.fullmatch(r"answers, [0-9,]+ bytes behind", finding.state)
    assert finding.advice == ""
    assert (await check_replica(primary, stand.postgres.url)).state == "answers, 0 bytes behind"
    await primary.close()


async def test_a_server_of_its_own_is_no_replica(stand: Stand, committed_url: str) -> None:
    """As a replica is that was promoted."""
    primary = Database.connect(stand.postgres.url)
    finding = await check_replica(primary, committed_url)
    assert "is none" in finding.state
    assert "DATABASE_REPLICA_URL" in finding.advice
    await primary.close()


async def test_without_valkey_the_primary_is_read(stand: Stand) -> None:
    await until_replica_is(stand, "ok")
    load = Load(await stand.sign_in_again("anna"), await stand.sign_in("boris"))
    await stand.valkey.end(signal.SIGKILL)
    try:
        with running(load):
            await await_rounds(load)
    finally:
        await stand.valkey.start()
    with running(load):
        await await_rounds(load)
    assert (load.misses, load.failures) == ([], [])


async def test_the_version_of_a_replica_changes_with_a_commit_while_an_older_transaction_runs(
    stand: Stand, replica: OwnServer
) -> None:
    """Its snapshot does not: the replica does not name the transactions that run."""
    older, newer = await asyncpg.connect(stand.postgres.url), await asyncpg.connect(stand.postgres.url)
    reader = Database.connect(replica.url)
    for raw in (older, newer):
        await raw.execute("BEGIN; SELECT pg_current_xact_id()")
    await newer.execute("CREATE TABLE seen ()")
    before = await reader.select_version()
    await newer.execute("COMMIT")
    async with reader.raw() as raw:
        end = time.monotonic() + patience()
        while await raw.fetchval("SELECT to_regclass('seen')") is None:
            assert time.monotonic() < end
    assert await reader.select_version() != before
    await older.close()
    await newer.close()
    await reader.close()
