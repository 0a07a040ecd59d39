"""The HTTP server as its parent process sees it: the port, the workers, the signals that end it.

Workers are forked here, without Granian's own manager: that one gives up when a worker dies twice within
5.5 s, and ends the healthy workers before anything replaces them.
"""

import logging
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from types import FrameType
from typing import Self

from server.connections import ConnectionBound
from server.errors import ServerError
from server.port import reserve_port
from server.processes import STOP_SIGNALS
from server.worker import DRAIN, App, DrainTiming, Worker, keep_for_good

logger = logging.getLogger("trawl.server")

# Seconds.
TICK = 0.05
BACK_OFF = (0.0, 0.1, 0.2, 0.5)
MAX_FAILURES = 5  # to start a worker, after which a server that never had one is given up


class Terminated(SystemExit):
    """A stop signal came during the start. Uncaught, it ends the process with 0."""

    def __init__(self) -> None:
        super().__init__(0)


class Termination:
    """SIGTERM, SIGINT and SIGHUP: the first raises Terminated, or within `deferred` sets `requested` only."""

    def __init__(self, wake: socket.socket) -> None:
        self.requested = False
        self._raises = True
        self._wake = wake

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Raise nothing within: the caller looks at `requested`."""
        self._raises = False
        try:
            yield
        finally:
            self._raises = True

    def wait(self, seconds: float) -> None:
        """Sleep until a signal comes, for so many seconds at most."""
        if not self.requested and select.select([self._wake], [], [], seconds)[0]:
            self._wake.recv(4096)

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        first, self.requested = not self.requested, True
        if first and self._raises:
            raise Terminated


@contextmanager
def handle_termination() -> Iterator[Termination]:
    """Handle stop signals within. Only in the main thread."""
    wake, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    termination = Termination(wake)
    before = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGCHLD)}
    with closing(wake), closing(wakeup):
        wakeup_before = signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
        try:
            # A handler that does nothing, so that a child's end wakes `wait` too.
            signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
            for number in STOP_SIGNALS:
                # nohup, for one, has a signal ignored on purpose.
                if before[number] is not signal.SIG_IGN:
                    signal.signal(number, termination.handle)
            yield termination
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup_before)


class HttpServer:
    """Worker processes that serve one app on one port. For the main thread of a process without others."""

    def __init__(
        self,
        host: str,
        port: int,
        workers: int,
        *,
        timing: DrainTiming = DRAIN,
        on_worker_end: Callable[[str], None] = lambda _: None,
        bound: ConnectionBound | None = None,
    ) -> None:
        """Reserve the port, before anything else is started.

        `on_worker_end` gets the name of each worker that has ended, before it is replaced.

        :raises ServerError: the port is in use, or can't be bound
        """
        self._on_worker_end = on_worker_end
        self.address, self._reservation = reserve_port(host, port)
        self._timing = timing
        self._workers = [Worker(number + 1, timing, bound) for number in range(workers)]
        self._make_app: Callable[[], App] | None = None
        self._failures = 0
        self._started = self.ready = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, make_app: Callable[[], App]) -> None:
        """Fork the workers, each of which calls `make_app` once. Import before what it needs."""
        self._make_app = make_app
        keep_for_good()  # a look for garbage in a worker would copy the pages that it shares
        self.watch()

    def watch(self) -> None:
        """Replace the workers that have ended. Never waits; call it again and again.

        :raises ServerError: no worker has ever started, after several attempts
        """
        assert self._make_app is not None
        for worker in self._workers:
            self._started = worker.check_started() or self._started
            cause = worker.check_exit()
            if cause is not None:
                self._handle_exit(worker, cause)
            if worker.process is None and time.monotonic() >= worker.not_before:
                self._fork(worker, self._make_app)
        if self._started and not self.ready:
            self.ready = _is_listening(self.address)

    def stop(self) -> None:
        """Let the requests in flight finish, end the workers and release the port."""
        end = time.monotonic() + self._timing.lame_duck + self._timing.requests
        processes = [worker.process for worker in self._workers if worker.process is not None]
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.exitcode is None:
                logger.warning("worker %s does not finish its requests: ending it", process.pid)
                process.kill()
                process.join()
        for worker in self._workers:
            worker.reset()
        self._reservation.close()

    def _fork(self, worker: Worker, make_app: Callable[[], App]) -> None:
        try:
            worker.start(make_app, self.address)
        except OSError as error:
            self._handle_exit(worker, f"no process for it: {error.strerror}")

    def _handle_exit(self, worker: Worker, cause: str) -> None:
        """Log why a worker ended, and set when it may start again."""
        logger.error("worker %d ended: %s; starting it again", worker.number, cause)
        self._on_worker_end(worker.name)
        if worker.was_up:
            self._failures = 0
            worker.not_before = 0.0
            return
        worker.not_before = time.monotonic() + BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        if not self._started and self._failures >= MAX_FAILURES:
            raise ServerError(f"the server can't start: {cause}")


def serve_until_signal(
    server: HttpServer,
    make_app: Callable[[], App],
    termination: Termination,
    *,
    watch: Sequence[Callable[[], None]] = (),
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a stop signal, then drain.

    Calls each of `watch` every 50 ms, and `on_ready` once, as soon as connections are accepted.
    """
    with termination.deferred():
        try:
            server.start(make_app)
            announced = False
            while not termination.requested:
                termination.wait(TICK)
                server.watch()
                for step in watch:
                    step()
                if server.ready and not announced:
                    on_ready()
                    announced = True
        finally:
            server.stop()


def _is_listening(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=TICK).close()
    except OSError:
        return False
    return True
