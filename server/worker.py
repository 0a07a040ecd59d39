"""A worker process, which runs the Sanic app on Granian, and its slot in the parent process."""

import asyncio
import gc
import logging
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.errors import FatalError
from granian.http import HTTP1Settings
from granian.server.embed import Server
from sanic import Sanic

from server.connections import Client, ConnectionBound, ConnectionGuard, network_of
from server.fair_queue import FairQueue
from server.memory import TRIM_SECONDS, part_large_blocks, share_heap, trim_every
from server.processes import STOP_SIGNALS, end_with_parent, stop_signals_blocked, worker_name, worker_number

logger = logging.getLogger("trawl.server")

App = Sanic[Any, Any]

BACKLOG = 4096  # connections that wait to be accepted; the kernel's own limit is often this
# One address may not have enough connections to take them all: see server/connections.py.
OPEN_FILES = 16_384
RESERVED_FILES = 512  # for the database, the cache, logs and exports
MIN_CONNECTIONS = 128
# For the head of a request, and for the next one on an idle connection.
HEADER_MILLISECONDS = 20_000
# Seconds after which a thread that computes in Python lets another one do so: the event loop, and the thread
# that reads from connections, wait as long each time. Python's default is ten times as much.
SWITCH_SECONDS = 0.0005
THREADS = 32  # an upload takes one for as long as it lasts, and hashing or gunzipping must find another

_forking = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class DrainTiming:
    """How long the phases of an end take, in seconds.

    After a stop signal connections are still accepted, so that /ready can answer 503, until no request has
    come for `quiet`: a client that still sends has not noticed.
    """

    quiet: float = 0.3
    lame_duck: float = 2.0  # of the phase before, at most
    requests: float = 8.0  # for the requests in flight, once connections are refused


DRAIN = DrainTiming()


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker ends, and how many connections one address has; None for any number."""

    timing: DrainTiming
    bound: ConnectionBound | None


class StartFailed(Exception):
    """The app refused to start; the message is its reason."""


class Worker:
    """A slot for a worker process, and the process that is in it."""

    def __init__(
        self, number: int, timing: DrainTiming = DRAIN, bound: ConnectionBound | None = None
    ) -> None:
        self.number = number
        self._options = WorkerOptions(timing, bound)
        self.process: ForkProcess | None = None
        self.not_before = 0.0
        self.was_up = False
        self._cause = ""
        self._reports: Connection | None = None

    @property
    def name(self) -> str:
        """The name of every process in this slot."""
        return worker_name(self.number)

    def start(self, make_app: Callable[[], App], address: tuple[str, int]) -> None:
        self.reset()
        self._reports, reports = _forking.Pipe(duplex=False)
        self.process = _forking.Process(
            target=_run_worker,
            args=(make_app, address, reports, os.getpid(), self._options),
            name=self.name,
        )
        # Until the worker has set its own handlers, signals must not reach the parent's, which it inherits.
        try:
            with stop_signals_blocked():
                self.process.start()
        finally:
            reports.close()

    def check_started(self) -> bool:
        """Read the reports of the process; returns whether it is up, or was until it ended."""
        with suppress(EOFError, OSError):
            while self._reports is not None and self._reports.poll():
                self._cause = self._reports.recv()
                self.was_up = self.was_up or not self._cause
        return self.was_up

    def check_exit(self) -> str | None:
        """Return why the process ended, once; None if it runs."""
        if self.process is None or self.process.exitcode is None:
            return None
        self.check_started()
        code, self.process = self.process.exitcode, None
        return self._cause or (f"signal {-code}" if code < 0 else f"exit code {code}")

    def reset(self) -> None:
        """Empty the slot."""
        if self._reports is not None:
            self._reports.close()
        self.process = self._reports = None
        self.was_up = False
        self._cause = ""


def _run_worker(
    make_app: Callable[[], App],
    address: tuple[str, int],
    reports: Connection,
    parent: int,
    options: WorkerOptions,
) -> None:
    """Run a worker process from its fork to its end."""
    signal.set_wakeup_fd(-1)
    # Until it has started, a worker has nothing to finish. A terminal's Ctrl-C is for the parent to handle.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    if not end_with_parent(parent, signal.SIGKILL):
        return
    share_heap()
    part_large_blocks()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(make_app(), address, reports, options))
    # Any error ends this process: log it, and report it to the parent.
    except Exception as error:
        logger.exception("worker failed")
        reports.send(f"{type(error).__name__}: {error}".splitlines()[0])
        raise SystemExit(1) from None


async def _serve(
    app: App,
    address: tuple[str, int],
    reports: Connection,
    options: WorkerOptions,
) -> None:
    """Serve until SIGTERM, and for as long after it as requests in flight may take."""
    bound = options.bound
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    sys.setswitchinterval(SWITCH_SECONDS)
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "worker"))
    app.ctx.draining = False

    def report_start() -> None:
        keep_for_good()
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
        reports.send("")

    guard = None
    if bound:
        guard = ConnectionGuard(bound.counts.row(worker_number()), bound.limit, address[1])
    app.ctx.connection_guard = guard
    app.ctx.fair_queue = FairQueue()
    observed = _ObservedApp(app, report_start, guard.busy if guard else set())
    server = Server(
        observed,
        *address,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=max(MIN_CONNECTIONS, raise_open_files() - RESERVED_FILES),
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        log_enabled=False,
    )
    stop_threads = _start_threads(guard)
    drain = asyncio.create_task(_drain(stopping, observed, server, options.timing))
    try:
        await server.serve()
    except FatalError as error:
        raise StartFailed(observed.failure or str(error)) from error
    finally:
        stop_threads.set()
        drain.cancel()


def keep_for_good() -> None:
    """Take what has been made so far out of the garbage collector's sight: it lives as long as this process.

    Each look at routes and schemas would stop the event loop for some 20 milliseconds, and find no garbage.
    """
    gc.collect()
    gc.freeze()


def _start_threads(guard: ConnectionGuard | None) -> threading.Event:
    """Start the threads that bound connections and memory. Return the event that stops them."""
    stop = threading.Event()
    if guard:
        threading.Thread(target=guard.run, args=(stop,), name="connections", daemon=True).start()
    threading.Thread(target=trim_every, args=(TRIM_SECONDS, stop), name="memory", daemon=True).start()
    return stop


def raise_open_files() -> int:
    """Allow this process as many open files as it may have, up to OPEN_FILES; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


async def _drain(stopping: asyncio.Event, app: "_ObservedApp", server: Server, timing: DrainTiming) -> None:
    """Refuse connections after a stop signal, once clients have noticed that this server is draining."""
    await stopping.wait()
    app.drain()
    end, requests = time.monotonic() + timing.lame_duck, -1
    while requests != app.requests and time.monotonic() < end:
        requests = app.requests
        await asyncio.sleep(timing.quiet)
    server.stop()


class _ObservedApp:
    """The ASGI app with a count of its requests. Calls `on_start` when it is up; else `failure` says why."""

    def __init__(self, app: App, on_start: Callable[[], None], busy: set[Client]) -> None:
        """Observe an app.

        :param busy: gets each client for as long as its request is under way
        """
        self.failure = ""
        self.requests = 0
        self._app = app
        self._on_start = on_start
        self._busy = busy
        self._fair_queue: FairQueue = app.ctx.fair_queue

    def drain(self) -> None:
        self._app.ctx.draining = True

    def __call__(self, scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        if scope["type"] == "lifespan":
            return self._app(scope, receive, self._observe(send))
        self.requests += 1
        return self._serve(scope, receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        client = tuple(scope["client"])
        await self._fair_queue.wait(network_of(client[0]))
        self._busy.add(client)
        try:
            await self._app(scope, receive, send)
        finally:
            self._busy.discard(client)

    def _observe(self, send: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        async def send_observed(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._on_start()
            elif message["type"] == "lifespan.startup.failed":
                self.failure = message.get("message", "")
            await send(message)

        return send_observed
