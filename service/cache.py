"""Valkey behind a circuit breaker. It is a cache: every caller must be able to do without it."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from service.circuit_breaker import CircuitBreaker

log = structlog.get_logger("trawl.cache")

# Of a worker. Valkey runs one command at a time anyway, and a busy loop takes long to open many at once:
# with 50 a first burst of 300 on a loaded machine found Valkey "away".
CONNECTIONS = 8
NO_REPLY = object()


class CacheUnavailable(Exception):
    """Valkey does not answer, or did not answer a moment ago."""


@dataclass(frozen=True, slots=True)
class CacheTimes:
    """How long Valkey may be silent. All but `stall_ticks` in seconds."""

    tick: float = 0.05
    stall_ticks: int = 10  # after so many without any reply, while commands wait, Valkey counts as away
    pause: float = 1.0  # between probes whether a Valkey that has failed is back


class StallDetector:
    """Times out all waiting commands once Valkey has answered none of them for `stall_ticks` ticks.

    A time-out for each command would also end those whose replies have come but still wait for a busy loop to
    read them. Ticks are counted by that loop, so they are as late as it is.
    """

    def __init__(self, times: CacheTimes) -> None:
        self._times = times
        self._waiting: set[asyncio.Timeout] = set()
        self._ticks = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, command: asyncio.Timeout) -> None:
        """Watch a command that is about to be sent."""
        if not self._waiting:
            self._ticks = 0
        self._waiting.add(command)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._times.tick, self._tick)

    def discard(self, command: asyncio.Timeout, *, has_reply: bool) -> None:
        """Stop watching a command that has ended. A reply shows that Valkey is not stalled."""
        self._waiting.discard(command)
        if has_reply:
            self._ticks = 0

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticks += 1
        if self._ticks >= self._times.stall_ticks:
            for command in self._waiting:
                command.reschedule(loop.time())
        self._timer = loop.call_later(self._times.tick, self._tick) if self._waiting else None


class Cache:
    """A client of Valkey, each of whose commands may raise CacheUnavailable.

    One failure opens the breaker. Until a probe in the background has reached Valkey again, all commands fail
    at once: no request waits to learn that Valkey is still away.
    """

    def __init__(
        self,
        make_connection: Callable[[], AbstractConnection],
        *,
        connections: int = CONNECTIONS,
        times: CacheTimes | None = None,
    ) -> None:
        times = times or CacheTimes()
        self._make_connection = make_connection
        self._slots = asyncio.Semaphore(connections)
        self._stall_detector = StallDetector(times)
        self._breaker = CircuitBreaker(threshold=1, pause=times.pause)
        self._idle: list[AbstractConnection] = []
        self._probing: asyncio.Task[None] | None = None
        self._digests: dict[str, str] = {}

    @classmethod
    def connect(cls, url: str, *, connections: int = CONNECTIONS, times: CacheTimes | None = None) -> "Cache":
        """Make a client of `redis://…` or `unix://…`, which connects at its first command."""
        # The pool only reads the URL: to borrow a connection from it and return it costs more than a command.
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=None,  # the stall detector ends whatever takes too long
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
        )
        return cls(pool.make_connection, connections=connections, times=times)

    async def run(self, command: str, *args: str | bytes | float) -> Any:
        """Run one command, given as Valkey names it, and return its reply.

        :raises CacheUnavailable: Valkey does not answer
        """
        return await self._guard(self._execute(command, *args))

    async def ping(self) -> bool:
        """Return whether Valkey answers."""
        try:
            return bool(await self.run("PING"))
        except CacheUnavailable:
            return False

    async def script(
        self,
        source: str,
        keys: Sequence[str],
        args: Sequence[str | bytes | float],
        *,
        force: bool = False,
    ) -> Any:
        """Run a Lua script, which is sent once and then named by its digest, and return its reply.

        With `force` the script is sent even while the breaker is open.

        :raises CacheUnavailable: Valkey does not answer
        """
        return await self._guard(self._evaluate(source, len(keys), *keys, *args), force=force)

    async def _evaluate(self, source: str, *args: str | bytes | float) -> Any:
        digest = self._digests.get(source)
        if digest is None:
            digest = self._digests[source] = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
        try:
            return await self._execute("EVALSHA", digest, *args)
        except NoScriptError:
            return await self._execute("EVAL", source, *args)

    async def _execute(self, *args: str | bytes | float) -> Any:
        reply = NO_REPLY
        async with asyncio.timeout(None) as command:
            self._stall_detector.add(command)
            try:
                async with self._slots:
                    reply = await self._exchange(*args)
            finally:
                self._stall_detector.discard(command, has_reply=reply is not NO_REPLY)
        return reply

    async def _exchange(self, *args: str | bytes | float) -> Any:
        """Send one command on an idle connection, or on a new one, and return its reply."""
        connection = self._idle.pop() if self._idle else self._make_connection()
        try:
            # What can be read before a command was sent is the end of the stream, or another command's reply.
            if connection.is_connected and await connection.can_read():
                await connection.disconnect(nowait=True)
            await connection.send_command(*args)  # connects first, if need be
            return await connection.read_response()
        finally:
            self._idle.append(connection)

    async def close(self) -> None:
        """Stop probing, and close all connections."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait([self._probing])
        self._stall_detector.close()
        for connection in self._idle:
            await connection.disconnect()

    async def _guard(self, command: Coroutine[Any, Any, Any], *, force: bool = False) -> Any:
        """Await a command behind the breaker."""
        if not self._breaker.is_closed and not force:
            command.close()
            raise CacheUnavailable
        try:
            reply = await command
        except (RedisError, OSError) as error:
            if self._breaker.is_closed:
                log.warning("cache_away", error=str(error))
                self._breaker.record_failure()
                self._probing = asyncio.create_task(self._probe(), name="probe of Valkey")
            raise CacheUnavailable from error
        if force and self._probing is not None and not self._breaker.is_closed:
            self._probing.cancel()
            self._recover()
        return reply

    async def _probe(self) -> None:
        """Ask Valkey after every pause until it answers."""
        while not self._breaker.is_closed:
            await asyncio.sleep(self._breaker.seconds_open())
            try:
                await self._execute("PING")
            except (RedisError, OSError):
                self._breaker.record_failure()
            else:
                self._recover()

    def _recover(self) -> None:
        self._breaker.record_success()
        log.info("cache_back")
