"""Valkey behind a breaker. It is a cache: whoever asks it must know what to do when it is away."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

log = structlog.get_logger("trawl.cache")

CONNECT_WAIT = 0.25  # seconds
REPLY_WAIT = 0.5  # seconds; generous, for a busy loop reads a prompt reply late
# Of a worker. Valkey runs one command at a time, and to open many at once takes a busy loop longer than
# CONNECT_WAIT: with 50 a first burst of 300 on a loaded machine found Valkey "away".
CONNECTIONS = 8
PAUSE = 1.0  # seconds during which nobody waits for a Valkey that has just failed


class CacheAway(Exception):
    """Valkey does not answer, or has not answered a moment ago."""


class Cache:
    """Commands for Valkey, each of which may raise CacheAway.

    After a failure all commands fail at once for `PAUSE`; then one is let through to see whether it is back.
    """

    def __init__(self, make_connection: Callable[[], AbstractConnection], *, connections: int) -> None:
        self._make_connection = make_connection
        self._places = asyncio.Semaphore(connections)
        self._idle: list[AbstractConnection] = []
        self._paused_until = 0.0  # on the monotonic clock
        self._digests: dict[str, str] = {}

    @classmethod
    def connect(cls, url: str, *, connections: int = CONNECTIONS) -> "Cache":
        """For `redis://…` or `unix://…`; nothing is connected before the first command."""
        # The pool only reads the URL: to take a connection from it and give it back costs more than to ask.
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=None,  # every command has one timeout, ours
            socket_connect_timeout=CONNECT_WAIT,
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
        """A Lua script, sent once and then named by its digest. To insist is to try even in a pause."""
        if insist:
            self._paused_until = 0.0
        return await self._guarded(self._evaluate(source, len(keys), *keys, *args))

    async def _evaluate(self, source: str, *args: str | bytes | float) -> Any:
        digest = self._digests.get(source)
        if digest is None:
            digest = self._digests[source] = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
        try:
            return await self._execute("EVALSHA", digest, *args)
        except NoScriptError:
            return await self._execute("EVAL", source, *args)

    async def _execute(self, *args: str | bytes | float) -> Any:
        async with asyncio.timeout(REPLY_WAIT), self._places:
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
        for connection in self._idle:
            await connection.disconnect()

    async def _guarded(self, command: Any) -> Any:
        now = time.monotonic()
        if now < self._paused_until:
            command.close()
            raise CacheAway
        probing = self._paused_until > 0
        if probing:
            self._paused_until = now + PAUSE
        try:
            reply = await command
        except (RedisError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE
            log.warning("cache_away", error=str(error))
            raise CacheAway from error
        if probing:
            self._paused_until = 0.0
        return reply
