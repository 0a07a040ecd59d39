"""Gives up the connections of a database that has fallen silent, so that nothing waits for it any longer.

The kernel gives up a connection to a machine that vanished. One that is there acknowledges what it is sent
also while its PostgreSQL is stopped or hangs: only a probe that it does not answer tells. So while
connections are in use, another one sends a probe every second. A statement may take as long as it likes.
"""

import asyncio
import socket
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from asyncpg import InterfaceError, InternalClientError, PostgresError
from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

log = structlog.get_logger("trawl.database")

# After 4 s without a byte probes go out, one in 2 s; three without an answer, or 10 s without the receipt of
# what was sent, end the connection.
KEEPALIVE_OPTIONS = {
    socket.TCP_KEEPIDLE: 4,
    socket.TCP_KEEPINTVL: 2,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 10_000,
}


class DatabaseSilent(ConnectionError):
    """The database did not answer lately, and has not been heard since."""


@dataclass(frozen=True, slots=True)
class StallTimes:
    """How long a database may take to answer. All but `tick` in ticks, which the event loop counts.

    A loop that is busy, or a process that was stopped, counts none: then it is not the database that stalls.

    :param tick: seconds
    :param interval: between two probes
    :param timeout: without an answer, after which all connections are given up
    :param attempt: that a new connection may take to answer, while the database is silent
    """

    tick: float = 0.25
    interval: int = 4
    timeout: int = 20
    attempt: int = 8


STALL_TIMES = StallTimes()


class StallDetector:
    """Knows the connections of a database, and whether it answers. It works while any of them is in use."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], times: StallTimes = STALL_TIMES) -> None:
        """Make a detector.

        :param connect: opens the connection of the probes
        """
        self.is_silent = False
        self._connect = connect
        self._times = times
        self._connections: set[Any] = set()
        self._in_use: set[Any] = set()
        self._own: Any = None
        self._probe: asyncio.Task[None] | None = None
        self._probe_ticks = 0  # since the probe began
        self._pause = 0  # ticks until the next one
        self._timer: asyncio.TimerHandle | None = None
        self._loop: AbstractEventLoop | None = None

    def check(self) -> None:
        """Refuse at once what would wait for a silent database.

        :raises DatabaseSilent: it has not answered; probes find out when it does again
        """
        if self.is_silent:
            raise DatabaseSilent("the database does not answer")

    def add(self, raw: Any) -> None:
        """Watch a connection, which is in use until its pool says that it is not."""
        self._connections.add(raw)
        raw.add_termination_listener(self._discard)
        self._use(raw)

    def observe(self, engine: Engine) -> None:
        """Watch the connections of an engine, which tells which are in use."""
        event.listen(engine, "checkout", self._take)
        event.listen(engine, "checkin", self._release)
        event.listen(engine, "invalidate", self._release)

    def abort_connections(self) -> None:
        """Break all connections: what waits for them gets an error at once."""
        for raw in list(self._connections):
            abort(raw)

    async def close(self) -> None:
        """Stop the probes, and close their connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        own, probe = self._own, self._probe
        self._own = self._probe = None
        if own is not None:
            own.terminate()
        if probe is not None:
            probe.cancel()
            await asyncio.gather(probe, return_exceptions=True)

    def _discard(self, raw: Any) -> None:
        self._connections.discard(raw)
        self._in_use.discard(raw)

    def _take(self, _connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        self._use(entry.driver_connection)

    def _use(self, raw: Any) -> None:
        self._in_use.add(raw)
        if self._timer is None or self._loop is not asyncio.get_running_loop():
            self._loop = asyncio.get_running_loop()
            self._start_timer(self._loop)

    def _release(self, _connection: Any, entry: ConnectionPoolEntry, *_error: Any) -> None:
        self._in_use.discard(entry.driver_connection)

    def _start_timer(self, loop: AbstractEventLoop) -> None:
        self._timer = loop.call_later(self._times.tick, self._tick, loop)

    def _tick(self, loop: AbstractEventLoop) -> None:
        """Begin a probe when one is due, and declare the database silent when a probe waits too long."""
        if not self._in_use and not self.is_silent and self._probe is None:
            self._timer = None
            return
        self._start_timer(loop)
        if self._probe is not None:
            self._probe_ticks += 1
            if self._probe_ticks == (self._times.attempt if self.is_silent else self._times.timeout):
                self._fall_silent()
            return
        self._pause -= 1
        if self._pause <= 0:
            self._probe_ticks, self._pause = 0, self._times.interval
            self._probe = loop.create_task(self._run_probe(), name="probe of the database")

    async def _run_probe(self) -> None:
        """Try until there is an answer, or another probe takes this one's place.

        A server that says that it is full, or that it starts, does answer.
        """
        own = asyncio.current_task()
        while self._probe is own:
            if await self._is_answered():
                self._hear()
                return
            await asyncio.sleep(self._times.tick)

    async def _is_answered(self) -> bool:
        """Probe on a connection of our own. Return whether PostgreSQL answers, be it with an error."""
        try:
            own, self._own = self._own, None
            if own is None or own.is_closed():
                own = await self._connect()
            if self._probe is not asyncio.current_task():
                own.terminate()
                return False
            self._own = own
            await own.execute("SELECT")
        except PostgresError as error:
            return not (error.sqlstate or "").startswith("08")
        except (InterfaceError, InternalClientError, OSError, TimeoutError):
            return False
        return True

    def _hear(self) -> None:
        if self._probe is not asyncio.current_task():
            return
        if self.is_silent:
            log.info("database_answers_again")
        self.is_silent, self._probe = False, None

    def _fall_silent(self) -> None:
        """Declare the database silent, and break all connections to it."""
        if not self.is_silent:
            log.error("database_silent", connections=len(self._connections))
        self.is_silent = True
        # Not cancelled: asyncpg would open a connection to ask the server to cancel the probe.
        own, self._own, self._probe = self._own, None, None
        if own is not None:
            own.terminate()
        self.abort_connections()


def abort(raw: Any) -> None:
    """Break a connection without a word to its other end; what waits for it gets an error."""
    if raw._transport is not None:  # noqa: SLF001 - asyncpg's terminate() leaves a COPY waiting to write
        raw._transport.abort()  # noqa: SLF001 - the same


def set_keepalive(raw: Any) -> None:
    """Have a connection end when the machine at its other end vanishes: nothing else would end a wait.

    A machine that is there answers these probes also while its PostgreSQL is busy.
    """
    connection = raw._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg has no public way to it
    protocol = raw._protocol  # noqa: SLF001 - the same
    # A COPY that waits until it may write is told of the end by nobody else.
    raw.add_termination_listener(lambda _: protocol.resume_writing())
    if connection.family == socket.AF_UNIX:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE_OPTIONS.items():
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
