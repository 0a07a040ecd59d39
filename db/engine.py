"""Engines of SQLAlchemy over asyncpg, and the checks that keep dead connections out of their pools."""

import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
from asyncpg import InterfaceError, InternalClientError, PostgresError, ProtocolViolationError
from sqlalchemy import ExceptionContext, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.util import await_only

from db.dsn import is_transaction_pooled, split_dsn
from db.outages import loses_connection


@dataclass(frozen=True, slots=True)
class PoolTimeouts:
    """Seconds.

    :param wait: for a connection of the pool; a client gets 503 then, and SQLAlchemy's default is 30
    :param trusted_idle: a connection used within it is not pinged: a ping costs as much as a read
    :param ping: for the answer to a ping
    """

    wait: float = 2.0
    trusted_idle: float = 1.0
    ping: float = 1.0


TIMEOUTS = PoolTimeouts()
# After 4 s without a byte probes go out, one in 2 s; three without an answer, or 10 s without the receipt of
# what was sent, end the connection.
SILENCE_OPTIONS = {
    socket.TCP_KEEPIDLE: 4,
    socket.TCP_KEEPINTVL: 2,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 10_000,
}
SESSION_SETTINGS = {
    "timezone": "UTC",
    "jit": "off",
    "client_connection_check_interval": "2s",  # ends the query of a worker that died
    # Parallel workers take 5 ms to start, for which the default of 1,000 is too low: reports of 2 ms took
    # 12 at 10 million visits, because workers started for a branch that had nothing to do.
    "parallel_setup_cost": "50000",
}
TRACKED = ("timezone",)  # the settings that poolers keep for a client on every connection, as answers need it
DEFAULT_STATEMENT_CACHE = 100  # asyncpg's own
DRIVER = (
    "postgresql+asyncpg://"  # asyncpg reads the URL itself: SQLAlchemy hands on parameters it does not know
)


def connector(url: str, settings: Mapping[str, str] = SESSION_SETTINGS) -> Callable[[], Awaitable[Any]]:
    """Return what opens a connection of the driver to the database of a URL.

    Behind a pooler of transactions, statements have no names, and there are only the settings that poolers
    track; the others just make things faster. A pooler of sessions refuses them until the session has begun.
    """
    dsn, timeout = split_dsn(url)
    is_pooled = is_transaction_pooled(url)
    tracked = {name: value for name, value in settings.items() if name in TRACKED}
    rest = {} if is_pooled else {name: value for name, value in settings.items() if name not in TRACKED}
    startup_settings = {**tracked, **rest}

    async def open_connection(server_settings: Mapping[str, str]) -> Any:
        return await asyncpg.connect(
            dsn,
            timeout=timeout,
            server_settings=dict(server_settings),
            statement_cache_size=0 if is_pooled else DEFAULT_STATEMENT_CACHE,
        )

    async def connect() -> Any:
        nonlocal startup_settings
        begin = startup_settings
        try:
            connection = await open_connection(begin)
        except ProtocolViolationError as error:
            if begin is tracked or "startup parameter" not in str(error):
                raise
            begin = startup_settings = tracked  # for those after this one too
            connection = await open_connection(begin)
        if begin is tracked and rest:
            await connection.execute("".join(f"SET {name} = '{value}';" for name, value in rest.items()))
        return connection

    return connect


def create_single_engine(url: str) -> AsyncEngine:
    """Create an engine for one connection that nothing is set on, such as migrations take."""
    return create_async_engine(DRIVER, poolclass=NullPool, async_creator=connector(url, {}))


def create_engine(
    url: str, *, pool_size: int = 5, autocommit: bool = False, timeouts: PoolTimeouts = TIMEOUTS
) -> AsyncEngine:
    """Create an engine with a pool."""
    engine = create_async_engine(
        DRIVER,
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeouts.wait,
        hide_parameters=True,  # errors are logged, and parameters hold password hashes
        native_inet_types=False,  # addresses are text, as the models say
        json_deserializer=orjson.loads,  # the standard library's makes whole numbers beyond 64 bits of 1e300
        async_creator=connector(url),
    )

    def check_alive(_connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        check_connection(entry, timeouts)

    event.listen(engine.sync_engine, "connect", bound_silence)
    event.listen(engine.sync_engine, "checkin", note_idle)
    event.listen(engine.sync_engine, "checkout", check_alive)
    event.listen(engine.sync_engine, "handle_error", invalidate_lost)
    return engine


def create_dedicated_engine(url: str) -> AsyncEngine:
    """Create an engine without a pool, for connections of their own."""
    engine = create_async_engine(
        DRIVER,
        poolclass=NullPool,
        hide_parameters=True,
        native_inet_types=False,
        json_deserializer=orjson.loads,
        async_creator=connector(url),
    )
    event.listen(engine.sync_engine, "connect", bound_silence)
    return engine


def bound_silence(_connection: Any, entry: ConnectionPoolEntry) -> None:
    """Have the kernel give up a connection to a machine that vanished: nothing else would ever end a wait.

    A machine that is there answers these probes also while its PostgreSQL is busy.
    """
    raw = entry.driver_connection
    transport = raw._transport if raw is not None else None  # noqa: SLF001 - asyncpg has no public way to it
    connection = transport.get_extra_info("socket") if transport is not None else None
    if connection is None or connection.family == socket.AF_UNIX:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in SILENCE_OPTIONS.items():
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


def note_idle(_connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info["idle_since"] = time.monotonic()


def check_connection(entry: ConnectionPoolEntry, timeouts: PoolTimeouts) -> None:
    """Make the pool replace a dead connection.

    The event loop notices when the server closes its end, as it does at a restart. Only a ping finds a server
    that vanished without closing.

    :raises DisconnectionError: the connection is dead; the pool opens another one
    """
    raw = entry.driver_connection
    assert raw is not None
    if raw.is_closed():
        raise DisconnectionError
    idle_since = entry.info.get("idle_since")
    if idle_since is None or time.monotonic() - idle_since < timeouts.trusted_idle:
        return
    try:
        await_only(raw.execute("SELECT", timeout=timeouts.ping))
    except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
        raise DisconnectionError from error


def invalidate_lost(context: ExceptionContext) -> None:
    """Keep a connection that can't be used any more from going back to the pool."""
    if loses_connection(context.original_exception):
        context.is_disconnect = True
