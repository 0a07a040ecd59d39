"""Responses that are cached: never older than what is stored, and within their bound."""

import asyncio

import pytest

from db.database import Database
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from transport.response_cache import CachedResponse, ResponseCache

PAGE = "/caviar/"
PATHS = (
    "/report/4",
    "/report/4?format=csv",
    "/visits/stats?group_by=kind",
    "/visits/stats?limit=1&group_by=page",
)


@pytest.fixture
def db(committed_db: Database) -> Database:
    """Only what is committed has a version."""
    return committed_db


@pytest.mark.parametrize("path", PATHS)
async def test_a_response_is_the_same_until_something_is_stored(
    user: User, server: RunningApp, path: str
) -> None:
    await user.client.post("/visits", json={"page_url": PAGE})
    first = await user.client.get(path)
    again = await user.client.get(path)
    for name in ("Content-Type", "ETag", "Content-Disposition", "Cache-Control"):
        assert first.headers.get(name) == again.headers.get(name)
    assert (first.status, first.body) == (again.status, again.body)
    tagged = await user.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert tagged.status == 304
    await user.client.post("/visits", json={"page_url": PAGE})
    after = await user.client.get(path)
    assert after.body != first.body
    cache = server.app.ctx.responses
    keys = [key for key in cache._responses if key[0].endswith(path.partition("?")[0])]
    assert len(keys) >= 1
    assert (await user.client.request("HEAD", path)).status == 200


async def test_what_is_stored_is_in_the_next_answer_whoever_asks_meanwhile(user: User) -> None:
    """Readers ask all the time; each answer counts at least what was stored before it was asked for."""
    stored = 0

    async def read() -> None:
        for _ in range(40):
            least = stored
            [item] = (await user.client.get("/visits/stats")).json["items"]
            assert item["visits"] >= least

    async def write() -> None:
        nonlocal stored
        for _ in range(20):
            await user.client.post("/visits", json={"page_url": PAGE})
            stored += 1

    await asyncio.gather(read(), read(), write())
    [item] = (await user.client.get("/visits/stats")).json["items"]
    assert item["visits"] == stored


async def test_a_wrong_query_is_refused_each_time(user: User) -> None:
    for _ in range(2):
        assert (await user.client.get("/report/4?limit=0")).status == 422
        assert (await user.client.get("/report/9")).status == 404


def test_the_least_recently_used_responses_are_dropped() -> None:
    cache = ResponseCache(max_bytes=5000)
    for path in ("/a", "/b", "/a", "/c", "/d"):
        key = (path, "", "")
        if cache.get(key, "1") is None:
            cache.put(key, "1", CachedResponse(b"x" * 500, "text/plain", {}, ""))
    assert [cache.get((path, "", ""), "1") is None for path in ("/a", "/b", "/c", "/d")] == [
        False,
        True,
        False,
        False,
    ]
    assert cache.get(("/a", "", ""), "2") is None
    cache.put(("/a", "", ""), "2", CachedResponse(b"x" * 10_000, "text/plain", {}, ""))
    assert cache.get(("/a", "", ""), "2") is None
