"""An HTTP server that plays Kinopoisk with the demo's catalogue, and is slow or broken on demand."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from demo.kinopoisk import film, search

HUGE = 8 * 2**20  # bytes


@dataclass
class FakeKinopoisk:
    """Records its calls. `mode` is "ok", a status to answer with, or the name of a failure; see `fail`."""

    url: str = ""
    mode: str | int = "ok"
    delay: float = 0.0  # seconds
    answer: Any = None  # replaces the catalogue's
    calls: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def most_in_a_second(self) -> int:
        """Count the calls of the second that has most, both of its ends included."""
        return max((sum(at <= other <= at + 1 for other in self.times) for at in self.times), default=0)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.times.append(time.monotonic())
        self.called.set()
        self.calls.append(request.path_qs)
        self.keys.add(request.headers.get("X-API-KEY", ""))
        if self.delay:
            await asyncio.sleep(self.delay)
        failure = await self.fail(request)
        if failure is not None:
            return failure
        if self.answer is not None:
            return web.json_response(self.answer)
        return await (film if "v2.2" in request.path else search)(request)

    async def fail(self, request: web.Request) -> web.StreamResponse | None:
        """Answer as a mode other than "ok" says."""
        match self.mode:
            case int(status):
                return web.json_response({"message": "no"}, status=status)
            case "hang":
                await asyncio.sleep(60)
            case "drip":
                return await drip(request)
            case "huge":
                return web.Response(body=b'{"films": [], "x": "' + b"a" * HUGE + b'"}')
            case "cut":
                return await cut_off(request)
            case "redirect":
                raise web.HTTPFound(f"{self.url}/elsewhere")
            case "no json":
                return web.Response(text="<html>", content_type="application/json")
            case "list":
                return web.json_response([])
        return None


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(1000):
        await response.write(b" ")
        await asyncio.sleep(0.02)
    return response


async def cut_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"films": [')
    assert request.transport is not None
    request.transport.abort()
    return response


@asynccontextmanager
async def play_kinopoisk() -> AsyncIterator[FakeKinopoisk]:
    fake = FakeKinopoisk()
    app = web.Application()
    app.router.add_get("/api/v2.1/films/search-by-keyword", fake.handle)
    app.router.add_get("/api/v2.2/films/{film_id}", fake.handle)
    app.router.add_get("/elsewhere", fake.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()
