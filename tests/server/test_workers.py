"""What several workers must agree on, seen over HTTP while two of them serve."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.support.command_line import PASSWORD, Command, Running, free_port, wait_until_ready
from tests.support.processes import PATIENCE

LIMIT = 100
CONNECTIONS = 40  # so many at once reach both workers
FORWARDED = {"X-Forwarded-For": "192.0.2.1"}


class Site:
    """Two workers, and the connections that its clients keep open to both."""

    def __init__(self, process: Running, http: aiohttp.ClientSession) -> None:
        self.process = process
        self.http = http
        self.log: list[Any] = []  # its lines, once the workers have ended

    async def post(self, path: str, body: object, token: str = "") -> tuple[int, dict[str, str]]:
        async with self.http.post(path, json=body, headers={"Authorization": token}) as answer:
            return answer.status, await answer.json() if answer.status != 204 else {}

    async def sign_in(self) -> str:
        """Return a new token."""
        status, body = await self.post("/login", {"login": "anna", "password": PASSWORD})
        assert status == 200
        return body["access_token"]

    async def statuses(self, path: str, headers: dict[str, str], times: int) -> Counter[int]:
        """Send so many requests at once; returns the statuses of the responses."""

        async def status() -> int:
            async with self.http.get(path, headers=headers) as answer:
                await answer.read()
                return answer.status

        return Counter(await asyncio.gather(*(status() for _ in range(times))))


@asynccontextmanager
async def two_workers(trawl: Command, cache_url: str, **settings: str) -> AsyncIterator[Site]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = trawl.fork(PORT=str(port), WORKERS="2", REDIS_URL=cache_url, LOG_LEVEL="WARNING", **settings)
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as http:
        site = Site(process, http)
        try:
            await asyncio.to_thread(wait_until_ready, url)
            assert (await site.post("/register", {"login": "anna", "password": PASSWORD}))[0] == 201
            yield site
        finally:
            process.terminate()
            _, errors = await asyncio.to_thread(process.communicate, timeout=PATIENCE)
            site.log = [json.loads(line) for line in errors.splitlines()]


async def test_three_hundred_at_once_are_limited_exactly(trawl: Command, servers: tuple[str, str]) -> None:
    async with two_workers(trawl, servers[1], RATE_LIMIT_PER_MINUTE=str(LIMIT)) as site:
        headers = {"Authorization": await site.sign_in()}
        assert await site.statuses("/profile", headers, 3 * LIMIT) == {200: LIMIT, 429: 2 * LIMIT}


@pytest.mark.slow
async def test_a_forwarded_address_that_is_not_believed_is_logged_once_by_all_workers(
    trawl: Command, servers: tuple[str, str]
) -> None:
    async with two_workers(trawl, servers[1]) as site:
        assert await site.statuses("/ready", FORWARDED, CONNECTIONS) == {200: CONNECTIONS}
    assert [line["event"] for line in site.log].count("forwarded_address_ignored") == 1
