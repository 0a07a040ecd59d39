"""Valkey behind a breaker. It is a cache: whoever asks it must know what to do when it is away."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import structlog
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

log = structlog.get_logger("trawl.cache")

TICK = 0.05  # seconds
SILENT_TICKS = 10  # after so many without any reply, while commands wait, Valkey is away
# Of a worker. Valkey runs one command at a time anyway, and a busy loop takes long to open many at once:
# with 50 a first burst of 300 on a loaded machine found Valkey "away".
CONNECTIONS = 8
PAUSE = 1.0  # seconds between looks whether a Valkey that has failed is back
NOTHING = object()


class CacheAway(Exception):
    """Valkey does not answer, or has not answered a moment ago."""


class Silence:
    """Ends all waiting commands when none has been answered for `SILENT_TICKS`.

    A time-out for each would also end those whose replies have come, but wait to be read by a busy loop. That
    loop is as late with its ticks.
    """

    def __init__(self) -> None:
        self._waiting: set[asyncio.Timeout] = set()
        self._ticks = 0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, command: asyncio.Timeout) -> None:
        """A command has been sent, and times out when nothing is answered any more."""
        if not self._waiting:
            self._ticks = 0
        self._waiting.add(command)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def forget(self, command: asyncio.Timeout, *, answered: bool) -> None:
        self._waiting.discard(command)
        if answered:
            self._ticks = 0

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticks += 1
        if self._ticks >= SILENT_TICKS:
            for deadline in self._waiting:
                deadline.reschedule(loop.time())
        self._timer = loop.call_later(TICK, self._tick) if self._waiting else None


class Cache:
    """Commands for Valkey, each of which may raise CacheAway.

    After a failure all commands fail at once, until Valkey has been found again beside them: no request
    waits to learn that it is still away.
    """

    def __init__(self, make_connection: Callable[[], AbstractConnection], *, connections: int) -> None:
        self._make_connection = make_connection
        self._places = asyncio.Semaphore(connections)
        self._silence = Silence()
        self._idle: list[AbstractConnection] = []
        self._search: asyncio.Task[None] | None = None  # while it is away
        self._digests: dict[str, str] = {}

    @classmethod
    def connect(cls, url: str, *, connections: int = CONNECTIONS) -> "Cache":
        """For `redis://…` or `unix://…`; nothing is connected before the first command."""
        # The pool only reads the URL: to take a connection from it and give it back costs more than to ask.
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=None,  # connecting and waiting end with too long a silence
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
        )
        return cls(pool.make_connection, connections=connections)

    async def run(self, command: str, *args: str | bytes | float) -> Any:
        """One command, as Valkey names it."""
        return await self._guarded(self._execute(command, *args))

    async def script(
        self,
        source: str,
        keys: Sequence[str],
        args: Sequence[str | bytes | float],
        *,
        insist: bool = False,
    ) -> Any:
        """A Lua script, sent once and then named by its digest. To insist is to try even while it is away."""
        return await self._guarded(self._evaluate(source, len(keys), *keys, *args), insist=insist)

    async def _evaluate(self, source: str, *args: str | bytes | float) -> Any:
        digest = self._digests.get(source)
        if digest is None:
            digest = self._digests[source] = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
        try:
            return await self._execute("EVALSHA", digest, *args)
        except NoScriptError:
            return await self._execute("EVAL", source, *args)

    async def _execute(self, *args: str | bytes | float) -> Any:
        reply = NOTHING
        async with asyncio.timeout(None) as command:
            self._silence.watch(command)
            try:
                async with self._places:
                    reply = await self._converse(*args)
            finally:
                self._silence.forget(command, answered=reply is not NOTHING)
        return reply

    async def _converse(self, *args: str | bytes | float) -> Any:
        connection = self._idle.pop() if self._idle else self._make_connection()
        try:
            # Something to read before anything was asked is the end of the stream, or not for us.
            if connection.is_connected and await connection.can_read():
                await connection.disconnect(nowait=True)
            await connection.send_command(*args)  # connects first, if need be
            return await connection.read_response()
        finally:
            self._idle.append(connection)

    async def close(self) -> None:
        if self._search is not None:
            self._search.cancel()
            await asyncio.wait([self._search])
        self._silence.close()
        for connection in self._idle:
            await connection.disconnect()

    async def _guarded(self, command: Coroutine[Any, Any, Any], *, insist: bool = False) -> Any:
        if self._search is not None and not insist:
            command.close()
            raise CacheAway
        try:
            reply = await command
        except (RedisError, OSError) as error:
            if self._search is None:
                log.warning("cache_away", error=str(error))
                self._search = asyncio.create_task(self._look_for_it(), name="search for Valkey")
            raise CacheAway from error
        if insist and self._search is not None:
            self._search.cancel()
            self._end_search()
        return reply

    async def _look_for_it(self) -> None:
        while self._search is not None:
            await asyncio.sleep(PAUSE)
            with suppress(RedisError, OSError):
                await self._execute("PING")
                self._end_search()

    def _end_search(self) -> None:
        self._search = None
        log.info("cache_back")
