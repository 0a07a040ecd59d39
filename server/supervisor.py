"""The HTTP server as the process above its workers sees it: its port, its workers, the signals that end it.

The workers are forked from here, without Granian's own manager between: that one gives up when a worker dies
twice within 5.5 s, and ends the healthy workers before anything can take their place.
"""

import errno
import logging
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from types import FrameType
from typing import Self

from server.processes import STOP_SIGNALS
from server.worker import LAME_DUCK, App, Worker

logger = logging.getLogger("trawl.server")

# Seconds.
TICK = 0.05
DRAIN = 8.0  # how long requests in flight may take when connections are no longer taken
BACK_OFF = (0.0, 0.1, 0.2, 0.5)
# A server none of whose workers has ever started is given up after so many failures.
HOPELESS = 5


class ServerError(Exception):
    """The server can't be started; one line that says why."""


class Terminated(SystemExit):
    """A signal asked for the end during the start. Where nobody catches it, the process ends with 0."""

    def __init__(self) -> None:
        super().__init__(0)


class Termination:
    """SIGTERM, SIGINT and SIGHUP: the first raises Terminated, or is only noted inside `noted`."""

    def __init__(self, wake: socket.socket) -> None:
        self.requested = False
        self._raises = True
        self._wake = wake

    @contextmanager
    def noted(self) -> Iterator[None]:
        self._raises = False
        try:
            yield
        finally:
            self._raises = True

    def wait(self, seconds: float) -> None:
        """Sleep, but not on when a signal comes."""
        if not self.requested and select.select([self._wake], [], [], seconds)[0]:
            self._wake.recv(4096)

    def note(self, _number: int, _frame: FrameType | None) -> None:
        first, self.requested = not self.requested, True
        if first and self._raises:
            raise Terminated


@contextmanager
def termination_handled() -> Iterator[Termination]:
    """Handle the signals that ask for the end. Only in the main thread."""
    wake, woken = socket.socketpair()
    woken.setblocking(False)
    termination = Termination(wake)
    before = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGCHLD)}
    with closing(wake), closing(woken):
        wakeup = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        try:
            # With a handler, even one that does nothing, a child's end wakes us too.
            signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
            for number in STOP_SIGNALS:
                # nohup, for one, has a signal ignored on purpose.
                if before[number] is not signal.SIG_IGN:
                    signal.signal(number, termination.note)
            yield termination
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)


class HttpServer:
    """Worker processes that serve one app on one port. For the main thread of a process without others."""

    def __init__(
        self,
        host: str,
        port: int,
        workers: int,
        *,
        drain: float = DRAIN,
        on_worker_end: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the port, so that it is known to be free before anything else is started.

        Raises ServerError if it can't be had. `drain` is in seconds; `on_worker_end` is told the name of each
        worker that has ended, before another takes its place.
        """
        self._on_worker_end = on_worker_end
        self.address, self._reservation = _reserve(host, port)
        self._drain = drain
        self._workers = [Worker(number + 1) for number in range(workers)]
        self._make_app: Callable[[], App] | None = None
        self._failures = 0
        self._started = self.ready = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, make_app: Callable[[], App]) -> None:
        """Fork the workers, each of which calls `make_app` once. Import all that it needs before."""
        self._make_app = make_app
        self.watch()

    def watch(self) -> None:
        """Replace the workers that have ended. Never waits; raises ServerError if none can ever start."""
        assert self._make_app is not None
        for worker in self._workers:
            self._started = worker.started() or self._started
            cause = worker.ended()
            if cause is not None:
                self._judge(worker, cause)
            if worker.process is None and time.monotonic() >= worker.not_before:
                self._fork(worker, self._make_app)
        if self._started and not self.ready:
            self.ready = _listening(self.address)

    def stop(self) -> None:
        """Let the requests in flight finish, end the workers and give the port back."""
        end = time.monotonic() + LAME_DUCK + self._drain
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
            worker.forget()
        self._reservation.close()

    def _fork(self, worker: Worker, make_app: Callable[[], App]) -> None:
        try:
            worker.start(make_app, self.address)
        except OSError as error:
            self._judge(worker, f"no process for it: {error.strerror}")

    def _judge(self, worker: Worker, cause: str) -> None:
        logger.error("worker %d ended: %s; starting it again", worker.number, cause)
        self._on_worker_end(worker.name)
        if worker.was_up:
            self._failures = 0
            worker.not_before = 0.0
            return
        worker.not_before = time.monotonic() + BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        if not self._started and self._failures >= HOPELESS:
            raise ServerError(f"the server can't start: {cause}")


def serve_until_signal(
    server: HttpServer,
    make_app: Callable[[], App],
    termination: Termination,
    *,
    watch: Sequence[Callable[[], None]] = (),
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal asks for the end, then drain.

    Each of `watch` is called every 50 ms; `on_ready` once, when the first connection would be answered.
    """
    with termination.noted():
        try:
            server.start(make_app)
            told = False
            while not termination.requested:
                termination.wait(TICK)
                server.watch()
                for step in watch:
                    step()
                if server.ready and not told:
                    on_ready()
                    told = True
        finally:
            server.stop()


def _reserve(host: str, port: int) -> tuple[tuple[str, int], socket.socket]:
    """The address of `host` and `port`, and a socket that keeps it ours: bound, but never listening."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ServerError(f"host {host} is unknown: {error.strerror}") from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    place = (str(address[0]), int(address[1]))
    try:
        # Workers share a port, which the kernel also grants to strangers that ask for the same: this
        # bind, which does not ask for it, finds them.
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
        reservation = _bound(family, place)
    except OSError as error:
        what = "is in use" if error.errno == errno.EADDRINUSE else f"can't be bound: {error.strerror}"
        raise ServerError(f"port {port} on {host} {what}") from error
    return (place[0], int(reservation.getsockname()[1])), reservation


def _bound(family: int, place: tuple[str, int]) -> socket.socket:
    reservation = socket.socket(family)
    try:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            reservation.bind(place)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            # Connections of another program's server linger for a minute. This comes last, because with it
            # a second Trawl that starts at the same moment would not see ours.
            reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reservation.bind(place)
    except OSError:
        reservation.close()
        raise
    return reservation


def _listening(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=TICK).close()
    except OSError:
        return False
    return True
