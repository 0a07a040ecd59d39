"""A worker: the process that runs the Sanic app on Granian, and the place that it fills in the one above."""

import asyncio
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.errors import FatalError
from granian.server.embed import Server
from sanic import Sanic

from server.processes import STOP_SIGNALS, end_with_parent, stop_signals_held

logger = logging.getLogger("trawl.server")

App = Sanic[Any, Any]

BACKLOG = 1024
# Seconds. After a stop signal connections are still taken, so that /ready can tell of it, until no request
# has come for so long: whoever still sends has not heard of it.
QUIET = 0.3
LAME_DUCK = 2.0  # and no longer than that

_forking = multiprocessing.get_context("fork")


class StartFailed(Exception):
    """The app refused to start, for the reason given."""


class Worker:
    """One place for a worker process, and the process that fills it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: ForkProcess | None = None
        self.not_before = 0.0
        self.was_up = False
        self._cause = ""
        self._reports: Connection | None = None

    @property
    def name(self) -> str:
        """Of the process, whichever it is that fills the place."""
        return f"trawl-worker-{self.number}"

    def start(self, make_app: Callable[[], App], address: tuple[str, int]) -> None:
        self.forget()
        self._reports, reports = _forking.Pipe(duplex=False)
        self.process = _forking.Process(
            target=_work, args=(make_app, address, reports, os.getpid()), name=self.name
        )
        # Until the worker has put its own handlers in place, the signals must not reach ours in its copy.
        try:
            with stop_signals_held():
                self.process.start()
        finally:
            reports.close()

    def started(self) -> bool:
        """Whether the process has said that it is up; keeps what else it says."""
        with suppress(EOFError, OSError):
            while self._reports is not None and self._reports.poll():
                self._cause = self._reports.recv()
                self.was_up = self.was_up or not self._cause
        return self.was_up

    def ended(self) -> str | None:
        """Why the process ended; None if it did not."""
        if self.process is None or self.process.exitcode is None:
            return None
        self.started()
        code, self.process = self.process.exitcode, None
        return self._cause or (f"signal {-code}" if code < 0 else f"exit code {code}")

    def forget(self) -> None:
        if self._reports is not None:
            self._reports.close()
        self.process = self._reports = None
        self.was_up = False
        self._cause = ""


def _work(make_app: Callable[[], App], address: tuple[str, int], reports: Connection, parent: int) -> None:
    """The life of a worker process."""
    signal.set_wakeup_fd(-1)
    # Until it has started, a worker has nothing to finish. A terminal's Ctrl-C is for the parent to judge.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    if not end_with_parent(parent, signal.SIGKILL):
        return
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(make_app(), address, reports))
    # Whatever it was, this process ends of it: the log and the process above are to know.
    except Exception as error:
        logger.exception("worker failed")
        reports.send(f"{type(error).__name__}: {error}".splitlines()[0])
        raise SystemExit(1) from None


async def _serve(app: App, address: tuple[str, int], reports: Connection) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    app.ctx.draining = False

    def started() -> None:
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
        reports.send("")

    announced = _Announced(app, started)
    server = Server(
        announced,
        *address,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        log_enabled=False,
    )
    leaving = asyncio.create_task(_leave(stopping, announced, server))
    try:
        await server.serve()
    except FatalError as error:
        raise StartFailed(announced.failure or str(error)) from error
    finally:
        leaving.cancel()


async def _leave(stopping: asyncio.Event, app: "_Announced", server: Server) -> None:
    """Once told to stop, say so to whoever asks, and take no more connections when that is known."""
    await stopping.wait()
    app.drain()
    end, told = time.monotonic() + LAME_DUCK, -1
    while told != app.requests and time.monotonic() < end:
        told = app.requests
        await asyncio.sleep(QUIET)
    server.stop()


class _Announced:
    """The app, saying when it has started, or why it could not, and how many requests it was asked."""

    def __init__(self, app: App, started: Callable[[], None]) -> None:
        self.failure = ""
        self.requests = 0
        self._app = app
        self._started = started

    def drain(self) -> None:
        self._app.ctx.draining = True

    def __call__(self, scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        if scope["type"] == "lifespan":
            return self._app(scope, receive, self._heard(send))
        self.requests += 1
        return self._app(scope, receive, send)

    def _heard(self, send: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        async def hear(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._started()
            elif message["type"] == "lifespan.startup.failed":
                self.failure = message.get("message", "")
            await send(message)

        return hear
