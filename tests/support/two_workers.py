"""Trawl with two workers, where passwords are cheap to hash, and clients whose requests reach both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.command_line import PASSWORD, Command, free_port, wait_until_ready
from tests.support.processes import PATIENCE

CHEAP = Path(__file__).with_name("cheap_passwords.py")
PROBES = 3  # requests at once on as many connections: one worker takes all of them one time in four
BUSY, PAUSE = 503, 0.5  # seconds until it is asked again
SETTINGS = {
    "WORKERS": "2",
    "RATE_LIMIT_PER_MINUTE": "0",
    "LOG_LEVEL": "ERROR",
    "ADMIN_LOGIN": "root",
    "ADMIN_PASSWORD": PASSWORD,
}


@dataclass(frozen=True)
class Visitor:
    """A client with an address of its own; its connections stay open, each to the worker that took it."""

    http: aiohttp.ClientSession

    async def send(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.request(method, path, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None) if response.status != 204 else {}

    async def send_patiently(
        self, method: str, path: str, body: object = None, token: str = ""
    ) -> tuple[int, Any]:
        """Send a request; again while a busy machine has no connection free (503)."""
        while True:
            answer = await self.send(method, path, body, token)
            if answer[0] != BUSY:
                return answer
            await asyncio.sleep(PAUSE)

    async def expect(self, status: int, method: str, path: str, body: object = None, token: str = "") -> Any:
        answer = await self.send_patiently(method, path, body, token)
        assert answer[0] == status, (method, path, answer)
        return answer[1]

    async def sign_in(self, login: str, password: str = PASSWORD) -> Any:
        return await self.expect(200, "POST", "/login", {"login": login, "password": password})

    async def statuses(self, token: str, times: int = PROBES) -> set[int]:
        """Return the statuses of /profile for a token, by several workers."""
        return set(await asyncio.gather(*(self.status(token) for _ in range(times))))

    async def status(self, token: str) -> int:
        return (await self.send_patiently("GET", "/profile", token=token))[0]

    async def refresh(self, refresh_token: str) -> tuple[int, Any]:
        return await self.send("POST", "/token/refresh", {"refresh_token": refresh_token})


@dataclass
class TwoWorkers:
    url: str
    admin_token: str = ""
    addresses: Any = field(default_factory=lambda: count(2))

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[Visitor]:
        """Open a client at an address of its own: failed sign-ins are counted by it."""
        number = next(self.addresses)
        address = f"127.0.{number // 250}.{number % 250 + 2}"
        connector = aiohttp.TCPConnector(limit=0, local_addr=(address, 0))
        async with aiohttp.ClientSession(self.url, connector=connector) as http:
            yield Visitor(http)


@asynccontextmanager
async def two_workers(command: Command) -> AsyncIterator[TwoWorkers]:
    site = TwoWorkers(f"http://127.0.0.1:{(port := free_port())}")
    process = replace(command, program=CHEAP).fork(PORT=str(port), **SETTINGS)
    try:
        await asyncio.to_thread(wait_until_ready, site.url)
        async with site.visitor() as visitor:
            site.admin_token = (await visitor.sign_in("root"))["access_token"]
        yield site
    finally:
        process.terminate()
        await asyncio.to_thread(process.communicate, timeout=PATIENCE)
