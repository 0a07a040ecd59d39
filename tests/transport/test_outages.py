"""A database that is up and has no free connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from db.database import Database
from db.engine import PoolTimeouts
from service.deps import Deps
from tests.support.databases import on_server
from tests.support.http_client import Answer, User
from tests.support.http_server import RunningApp

VISIT = {"page_url": "/caviar/"}


@pytest.fixture
async def pool(committed_url: str) -> AsyncIterator[Database]:
    database = Database.connect(committed_url, pool_size=3, timeouts=PoolTimeouts(wait=0.2))
    yield database
    await database.close()


async def request_all(user: User) -> list[Answer]:
    """Send requests that read and requests that write."""
    reads = [user.client.get(path) for path in ("/tasks", "/report/1", "/profile", "/health", "/ready")]
    return await asyncio.gather(
        *reads, user.client.post("/visits", json=VISIT), user.client.post("/tasks", json={"title": "a task"})
    )


async def test_who_finds_all_connections_busy_is_told_so_after_a_short_wait(
    user: User, server: RunningApp, deps: Deps, pool: Database
) -> None:
    assert (await user.client.get("/profile")).status == 200  # whose copy the cache has now
    server.use(replace(deps, db=pool, replica=pool))
    async with AsyncExitStack() as busy:
        for _ in range(3):
            await busy.enter_async_context(pool.raw())
        async with asyncio.timeout(20):  # less than the 30 s of SQLAlchemy
            answers = await request_all(user)
    assert {answer.status for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert (await user.client.get("/health")).status == 200


async def test_a_database_that_takes_no_more_clients_is_passing(
    user: User, server: RunningApp, deps: Deps, pool: Database, committed_url: str
) -> None:
    assert (await user.client.get("/profile")).status == 200
    server.use(replace(deps, db=pool, replica=pool))
    await on_server(committed_url, f"ALTER DATABASE {urlsplit(committed_url).path[1:]} CONNECTION LIMIT 0")
    answers = await request_all(user)
    assert {answer.status for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
