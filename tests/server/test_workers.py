"""What several workers must agree on, seen over HTTP while two of them serve."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import Popen

import aiohttp
import pytest

from tests.support.command_line import PASSWORD, Command, free_port, wait_until_ready
from tests.support.processes import PATIENCE
from tests.support.wire import Wire, lay_wire

LIMIT = 100
CONNECTIONS = 40  # so many at once reach both workers


@pytest.fixture
async def wire(servers: tuple[str, str]) -> AsyncIterator[Wire]:
    """The connection of the workers to Valkey."""
    async with lay_wire(servers[1]) as laid:
        yield laid


class Site:
    """Two workers, and the connections that its clients keep open to both."""

    def __init__(self, process: Popen[str], http: aiohttp.ClientSession) -> None:
        self.process = process
        self.http = http

    async def post(self, path: str, body: object, token: str = "") -> tuple[int, dict[str, str]]:
        async with self.http.post(path, json=body, headers={"Authorization": token}) as answer:
            return answer.status, await answer.json() if answer.status != 204 else {}

    async def sign_in(self) -> str:
        """Return a new token."""
        status, body = await self.post("/login", {"login": "anna", "password": PASSWORD})
        assert status == 200
        return body["access_token"]

    async def statuses(self, path: str, token: str, times: int) -> Counter[int]:
        """Send so many requests at once; returns the statuses of the responses."""

        async def status() -> int:
            async with self.http.get(path, headers={"Authorization": token}) as answer:
                await answer.read()
                return answer.status

        return Counter(await asyncio.gather(*(status() for _ in range(times))))


@asynccontextmanager
async def two_workers(trawl: Command, cache_url: str, **settings: str) -> AsyncIterator[Site]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = trawl.start(PORT=str(port), WORKERS="2", REDIS_URL=cache_url, LOG_LEVEL="ERROR", **settings)
    try:
        await asyncio.to_thread(wait_until_ready, url)
        async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as http:
            site = Site(process, http)
            assert (await site.post("/register", {"login": "anna", "password": PASSWORD}))[0] == 201
            yield site
    finally:
        process.terminate()
        await asyncio.to_thread(process.communicate, timeout=PATIENCE)


async def test_three_hundred_at_once_are_limited_exactly(trawl: Command, servers: tuple[str, str]) -> None:
    # Not over the wire: it runs in this loop, where 300 requests would delay its replies.
    async with two_workers(trawl, servers[1], RATE_LIMIT_PER_MINUTE=str(LIMIT)) as site:
        token = await site.sign_in()
        assert await site.statuses("/profile", token, 3 * LIMIT) == {200: LIMIT, 429: 2 * LIMIT}


async def test_a_token_that_was_signed_out_is_dead_on_every_worker(trawl: Command, wire: Wire) -> None:
    async with two_workers(trawl, wire.url, RATE_LIMIT_PER_MINUTE="0") as site:
        signed_out, other = await site.sign_in(), await site.sign_in()
        for token in (signed_out, other):
            assert await site.statuses("/profile", token, CONNECTIONS) == {200: CONNECTIONS}
        assert (await site.post("/logout", {}, signed_out))[0] == 204
        assert await site.statuses("/profile", signed_out, CONNECTIONS) == {401: CONNECTIONS}

        wire.cut()
        assert await site.statuses("/profile", signed_out, CONNECTIONS) == {401: CONNECTIONS}
        assert await site.statuses("/profile", other, CONNECTIONS) == {200: CONNECTIONS}
        assert (await site.post("/logout", {}, other))[0] == 204
        assert await site.statuses("/profile", other, CONNECTIONS) == {401: CONNECTIONS}
        wire.mend()
        assert await site.statuses("/profile", other, CONNECTIONS) == {401: CONNECTIONS}
