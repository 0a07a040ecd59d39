"""A real HTTP server that plays ipinfo, slow and broken on demand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from aiohttp import web

from tests.support.kinopoisk import cut_off, drip

TOKEN = "a-token-of-ipinfo"


@dataclass
class FakeIpInfo:
    """`mode` is a status to answer with, or "ok", "hang", "drip", "cut", "no json", "list", "empty"…"""

    url: str = ""
    mode: str | int = "ok"
    countries: dict[str, str] = field(default_factory=dict)
    batches: list[list[str]] = field(default_factory=list)  # the addresses of each request
    tokens: set[str] = field(default_factory=set)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        patterns = await request.json()
        self.batches.append([pattern.removeprefix("lite/").partition("/")[0] for pattern in patterns])
        self.tokens.add(request.headers.get("Authorization", ""))
        self.called.set()
        match self.mode:
            case int(status):
                return web.json_response({"status": status, "error": {"title": "no"}}, status=status)
            case "hang":
                await asyncio.sleep(60)
            case "drip":
                return await drip(request)
            case "cut":
                return await cut_off(request)
            case "no json":
                return web.Response(text="<html>", content_type="text/html")
            case "list":
                return web.json_response([])
            case "empty":
                return web.json_response({})
            case "null":
                return web.json_response({pattern: {"country": None} for pattern in patterns})
        return web.json_response(dict(map(self.tell, patterns)))

    def tell(self, pattern: str) -> tuple[str, str]:
        _, address, what = pattern.split("/")
        assert what == "country_code"
        return pattern, self.countries.get(address, "")


@asynccontextmanager
async def play_ipinfo() -> AsyncIterator[FakeIpInfo]:
    fake = FakeIpInfo()
    app = web.Application()
    app.router.add_post("/batch", fake.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with patch("ipinfo.handler_async.API_URL", fake.url):
        yield fake
    await runner.cleanup()
