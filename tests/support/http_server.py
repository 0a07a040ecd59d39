"""Serves an application over HTTP in the process and the event loop of the test."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

from db.database import Database
from service.bounds import Bounds, WorkPermits
from service.cache import Cache
from service.deps import Deps, RateLimits
from service.security.tokens import TokenSettings
from tests.support.command_line import free_port
from tests.support.processes import PATIENCE
from transport.app import make_app
from transport.settings import HttpSettings

SECRET = "a secret of the tests, longer than 32 bytes"


@dataclass(frozen=True, slots=True)
class RunningApp:
    app: Any
    url: str

    def use(self, deps: Deps, http: HttpSettings | None = None) -> None:
        """Serve on these dependencies and settings from now on; without settings on the default ones."""
        self.app.ctx.deps, self.app.ctx.db = deps, deps.db
        self.app.ctx.http = http or HttpSettings()


def make_unserved_app(*, optimised: bool = False, bounds: Bounds | None = None) -> Any:
    """Make the application before `RunningApp.use` gives it dependencies; routes can still be added.

    Sanic's optimisation at the start rewrites its classes, so only one app of a process can have it.
    """
    nothing: Any = None
    nowhere = Database.connect("postgresql://a@127.0.0.1:1/a")
    app = make_app(
        Deps(
            db=nowhere,
            replica=nowhere,
            cache=Cache.connect("redis://127.0.0.1:1"),
            tokens=TokenSettings(SECRET),
            logs=nothing,
            geo=nothing,
            limits=RateLimits(default=0, ingest=0),
            permits=WorkPermits.make(bounds or Bounds()),
        ),
        HttpSettings(),
    )
    app.config.TOUCHUP = optimised
    return app


@asynccontextmanager
async def serve(app: Any) -> AsyncIterator[RunningApp]:
    """Serve an application by the HTTP server of production."""
    port = free_port()
    server = Server(app, port=port, interface=Interfaces.ASGI, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    await wait_for_port(port)
    yield RunningApp(app, f"http://127.0.0.1:{port}")
    server.stop()
    await serving


async def wait_for_port(port: int) -> None:
    """Wait until somebody listens on a port."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            await writer.wait_closed()
            return
    raise AssertionError("the server does not listen")
