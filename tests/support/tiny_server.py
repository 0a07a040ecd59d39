"""A server in miniature: python tiny_server.py PORT [--data-dir DIR] [--app NAME] [--quiet SECONDS] ...

It prints "ready URL" when it serves, and on an error one line to standard error, ending with 1.
"""

import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # The imports below take a while, and there is nothing yet to clean up.
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
    sys.path.insert(0, str(Path.cwd()))

import argparse
import asyncio
import gc
import logging
from typing import Any

from sanic import Request, Sanic
from sanic.response import HTTPResponse, json, text

from embedded import EmbeddedError, open_servers
from server.connections import ConnectionBound
from server.errors import ServerError
from server.shared_counts import SharedCounts
from server.supervisor import HttpServer, handle_termination, serve_until_signal
from server.worker import DrainTiming
from tests.support.processes import eventually

INHERITED = ["made before any fork"]


def healthy() -> Sanic[Any, Any]:
    looks_at_inherited = any(each is INHERITED for each in gc.get_objects())
    app: Sanic[Any, Any] = Sanic("tiny", configure_logging=False)
    app.config.MOTD = False

    @app.get("/")
    async def pid(_request: Request) -> HTTPResponse:
        return json(os.getpid())

    @app.get("/ready")
    async def ready(request: Request) -> HTTPResponse:
        return text("draining" if request.app.ctx.draining else "ready")

    @app.get("/looked-at")
    async def looked_at(request: Request) -> HTTPResponse:
        """Tell whether the garbage collector looks at the routes that the app began with."""
        return json(any(each is request.app.router for each in gc.get_objects()))

    @app.get("/looked-at-inherited")
    async def looked_at_inherited(_request: Request) -> HTTPResponse:
        """Tell whether the garbage collector looked at what the parent had made as the app was made."""
        return json(looks_at_inherited)

    @app.get("/held")
    async def held(request: Request) -> HTTPResponse:
        """Make the file `held` in a folder, and answer when there is a file `released`."""
        folder = Path(request.args.get("folder"))
        (folder / "held").touch()
        await asyncio.to_thread(eventually, (folder / "released").exists)
        return text("done")

    @app.after_server_stop
    async def leave(_app: Sanic[Any, Any]) -> None:
        print("left in order", flush=True)

    return app


def broken() -> Sanic[Any, Any]:
    raise RuntimeError("no app today")


def unwilling() -> Sanic[Any, Any]:
    app = healthy()

    @app.before_server_start
    async def refuse(_app: Sanic[Any, Any]) -> None:
        raise RuntimeError("no start today")

    return app


def late() -> Sanic[Any, Any]:
    app = healthy()

    @app.before_server_start
    async def wait(_app: Sanic[Any, Any]) -> None:
        await asyncio.Event().wait()

    return app


def impatient() -> Sanic[Any, Any]:
    """Trawl itself, which waits a very short time for bodies."""
    from service.bounds import Bounds
    from tests.support.http_server import make_unserved_app

    app: Sanic[Any, Any] = make_unserved_app(bounds=Bounds(body_seconds=0.05))
    return app


def patient() -> Sanic[Any, Any]:
    """Trawl itself, without a database and without limits of rate.

    It logs nothing: who starts it does not read on, and a full pipe would stop it.
    """
    import structlog

    from tests.support.http_server import make_unserved_app

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    app: Sanic[Any, Any] = make_unserved_app()
    return app


APPS = {
    "healthy": healthy,
    "broken": broken,
    "unwilling": unwilling,
    "late": late,
    "impatient": impatient,
    "patient": patient,
}


def serve(options: argparse.Namespace) -> None:
    with_servers = options.data_dir is not None
    bound = ConnectionBound(SharedCounts(2), options.connections) if options.connections else None
    timing = DrainTiming(options.quiet, options.lame_duck, options.requests)
    with (
        handle_termination() as termination,
        HttpServer("127.0.0.1", options.port, 2, timing=timing, bound=bound) as server,
        open_servers(options.data_dir or Path(), postgres=with_servers, valkey=with_servers) as servers,
    ):
        host, port = server.address
        serve_until_signal(
            server,
            APPS[options.app],
            termination,
            watch=[servers.watch],
            on_ready=lambda: print(f"ready http://{host}:{port}", flush=True),
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--app", default="healthy")
    parser.add_argument("--connections", type=int, default=0)
    parser.add_argument("--quiet", type=float, default=0.1)
    parser.add_argument("--lame-duck", type=float, default=10.0)
    parser.add_argument("--requests", type=float, default=100.0)
    logging.basicConfig(level=logging.CRITICAL)
    try:
        serve(parser.parse_args())
    except (ServerError, EmbeddedError) as error:
        sys.exit(str(error))
