"""Heavy reads and exports: a share for each account, a deadline, and an end when the client leaves."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import aiohttp
import asyncpg
import pytest
from sanic.response import HTTPResponse
from sqlalchemy import text

from db.database import Database
from service.bounds import Bounds, WorkPermits
from service.deps import Deps
from service.errors import Unavailable
from tests.support.accounts import AddUser
from tests.support.eventually import eventually
from tests.support.http_client import Answer, User
from tests.support.http_server import RunningApp
from transport.heavy import finish
from transport.request import Request

STATISTICS = "/visits/stats?group_by=country"
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
def db(committed_db: Database) -> Database:
    """Statements run at once, each on a connection of its own."""
    return committed_db


@asynccontextmanager
async def visits_locked(url: str) -> AsyncIterator[None]:
    """Make every read of visits wait."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE visit IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def waiting_reads(db: Database) -> int:
    async with db.read() as session:
        return int(await session.scalar(WAITING) or 0)


def use_bounds(server: RunningApp, deps: Deps, bounds: Bounds) -> None:
    server.use(replace(deps, permits=WorkPermits.make(bounds)))


async def test_a_read_that_takes_too_long_is_cancelled_in_the_database(
    user: User, server: RunningApp, deps: Deps, committed_url: str
) -> None:
    use_bounds(server, deps, Bounds(read_seconds=0.2))
    async with visits_locked(committed_url):
        for path in (STATISTICS, "/visits?country=FR"):
            answer = await user.client.get(path)
            assert (answer.status, answer.code) == (503, "too_expensive")
            assert int(answer.headers["Retry-After"]) > 0
        await eventually(lambda: nobody_waits(deps.db))
    use_bounds(server, deps, Bounds(read_seconds=3600))  # a busy machine takes more than 0.2 s
    assert (await user.client.get(STATISTICS)).status == 200


async def test_the_wait_for_a_permit_is_part_of_the_time_of_a_read(
    user: User, server: RunningApp, deps: Deps
) -> None:
    use_bounds(server, deps, Bounds(read_seconds=0.2, permit_seconds=3600))
    permits = server.app.ctx.deps.permits.reads
    loop = asyncio.get_running_loop()

    async def one_waits() -> bool:
        return bool(permits._queues[user.id].members > Bounds().account_reads)

    async with AsyncExitStack() as stack:
        for _ in range(Bounds().account_reads):
            await stack.enter_async_context(permits.acquire(user.id))
        asking = asyncio.create_task(user.client.get(STATISTICS))
        await eventually(one_waits)
        end = loop.time() + 0.2
        await eventually(lambda: has_passed(end))
    answer = await asking
    assert (answer.status, answer.code) == (503, "too_expensive")


async def has_passed(end: float) -> bool:
    return asyncio.get_running_loop().time() > end


async def nobody_waits(db: Database) -> bool:
    return await waiting_reads(db) == 0


async def test_the_query_of_a_client_that_left_ends(
    user: User, server: RunningApp, deps: Deps, committed_url: str
) -> None:
    use_bounds(server, deps, Bounds(read_seconds=3600))

    async def one_waits() -> bool:
        return await waiting_reads(deps.db) == 1

    async def nothing_runs() -> bool:
        return bool(server.app.ctx.deps.permits.reads.running == 0)

    async with visits_locked(committed_url):
        async with aiohttp.ClientSession(server.url) as session:
            asking = asyncio.create_task(read_statistics(session, user.token))
            await eventually(one_waits)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        await eventually(lambda: nobody_waits(deps.db))
        await eventually(nothing_runs)


async def read_statistics(session: aiohttp.ClientSession, token: str) -> None:
    async with session.get(STATISTICS, headers={"Authorization": token}) as response:
        await response.read()


async def test_statistics_of_one_account_leave_connections_to_all_others(
    user: User, add_user: AddUser, server: RunningApp, deps: Deps, committed_url: str
) -> None:
    use_bounds(server, deps, Bounds(read_seconds=3600, permit_seconds=0.2))
    other = await add_user("Olga")
    assert (await other.client.get("/profile")).status == 200

    async def four_wait() -> bool:
        return await waiting_reads(deps.db) == 4

    async with visits_locked(committed_url):
        asking = [asyncio.create_task(user.client.get(STATISTICS)) for _ in range(24)]
        await eventually(four_wait)
        served = await served_beside(other)
        await eventually(lambda: are_done(asking, 20))
        assert [answer.status for answer in served] == [200, 200, 200, 201, 200]
    answers = await asyncio.gather(*asking)
    assert Counter(answer.status for answer in answers) == {200: 4, 429: 20}
    assert {answer.code for answer in answers if answer.status == 429} == {"too_many_at_once"}


async def are_done(tasks: list[asyncio.Task[Answer]], number: int) -> bool:
    return sum(task.done() for task in tasks) == number


async def served_beside(other: User) -> list[Answer]:
    """Send what must find a connection: health, single rows, a write, and a statistic of another account."""
    created = await other.client.post("/tasks", json={"title": "a task"})
    return [
        await other.client.get("/health"),
        await other.client.get("/ready"),
        await other.client.get("/profile"),
        created,
        await other.client.get(f"/tasks/{created.json['id']}"),
    ]


@pytest.mark.parametrize("path", ["/visits/export", "/events/export"])
async def test_an_account_has_two_exports_under_way(
    user: User, add_user: AddUser, server: RunningApp, deps: Deps, path: str
) -> None:
    use_bounds(server, deps, Bounds(permit_seconds=0.1))
    other = await add_user("Olga")
    async with two_exports(server, user.id):
        answer = await user.client.get(path)
        assert (answer.status, answer.code) == (429, "too_many_at_once")
        assert (await other.client.get(path)).status == 200
    assert (await user.client.get(path)).status == 200


@asynccontextmanager
async def two_exports(server: RunningApp, account_id: int) -> AsyncIterator[None]:
    """Hold two permits of an account, as two exports do that their client does not read."""
    exports = server.app.ctx.deps.permits.exports
    async with exports.acquire(account_id), exports.acquire(account_id):
        yield


@pytest.mark.parametrize("seconds", [3600.0, 0.0])
async def test_only_a_deadline_that_has_passed_makes_a_read_too_expensive(
    seconds: float, server: RunningApp, deps: Deps
) -> None:
    """The database has time-outs of its own."""
    use_bounds(server, deps, Bounds(read_seconds=seconds))
    request = SimpleNamespace(deps=server.app.ctx.deps, wait_for_disconnect=asyncio.Event().wait)

    async def fail() -> HTTPResponse:
        await asyncio.sleep(0)
        raise TimeoutError("no connection is free")

    deadline = asyncio.get_running_loop().time() + seconds
    with pytest.raises(TimeoutError if seconds else Unavailable):
        await finish(cast(Request, request), fail, deadline)
