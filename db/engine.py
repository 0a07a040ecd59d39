"""Engines of SQLAlchemy over asyncpg, and the checks that keep dead connections out of their pools."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
from asyncpg import (
    InterfaceError,
    InternalClientError,
    PostgresError,
    ProtocolViolationError,
    TargetServerAttributeNotMatched,
)
from sqlalchemy import ExceptionContext, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.util import await_only

from db.dsn import is_transaction_pooled, split_dsn, system_tls
from db.outages import loses_connection
from db.stalls import StallDetector, set_keepalive


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
SESSION_SETTINGS = {
    "timezone": "UTC",
    "jit": "off",
    "client_connection_check_interval": "2s",  # ends the query of a worker that died
    # End the session of a machine that vanished, whose locks nobody else gets meanwhile: as in db/stalls.py.
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
    # Parallel workers take 5 ms to start, for which the default of 1,000 is too low: reports of 2 ms took
    # 12 at 10 million visits, because workers started for a branch that had nothing to do.
    "parallel_setup_cost": "50000",
    # Where Citus hides shards, of which coordinators have none, the driver's look-up of an array type takes
    # 0.7 s of CPU on each connection. A PostgreSQL without Citus takes the setting too.
    "citus.override_table_visibility": "off",
}
# What a connection has learned, plans and tables, takes some 10 MB of PostgreSQL for as long as it lives. The
# pool lends the one that was used last; PostgreSQL closes the others in time, so that a rush leaves nothing.
POOL_SETTINGS = {**SESSION_SETTINGS, "idle_session_timeout": "5min"}
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
    tls = system_tls(url)
    is_pooled = is_transaction_pooled(url)
    tracked = {name: value for name, value in settings.items() if name in TRACKED}
    rest = {} if is_pooled else {name: value for name, value in settings.items() if name not in TRACKED}
    startup_settings = {**tracked, **rest}

    async def open_connection(server_settings: Mapping[str, str]) -> Any:
        try:
            return await asyncpg.connect(
                dsn,
                timeout=timeout,
                ssl=tls,
                server_settings=dict(server_settings),
                statement_cache_size=0 if is_pooled else DEFAULT_STATEMENT_CACHE,
            )
        except (ConnectionError, FileNotFoundError, TimeoutError):
            raise
        except OSError as error:  # a host without a name or a way to it: an outage as a refusal is
            raise ConnectionError(error.errno, error.strerror or str(error)) from error
        except TargetServerAttributeNotMatched as error:  # of several hosts, none is the primary yet
            raise ConnectionError(str(error)) from error

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
            statements = "".join(f"SET {name} = '{value}';" for name, value in rest.items())
            await connection.execute(statements, timeout=timeout)
        return connection

    return connect


def watched_connector(
    url: str, settings: Mapping[str, str] = SESSION_SETTINGS, *, watch: StallDetector | None = None
) -> Callable[[], Awaitable[Any]]:
    """Return what opens a connection that ends when its database falls silent."""
    open_connection = connector(url, settings)

    async def connect() -> Any:
        raw = await open_connection()
        set_keepalive(raw)
        if watch is not None:
            watch.add(raw)  # before SQLAlchemy asks anything on it, which may be all it ever does
        return raw

    return connect


def create_single_engine(url: str) -> AsyncEngine:
    """Create an engine for one connection that nothing is set on, such as migrations take."""
    return create_async_engine(DRIVER, poolclass=NullPool, async_creator=watched_connector(url, {}))


def create_engine(
    url: str,
    *,
    pool_size: int = 5,
    autocommit: bool = False,
    timeouts: PoolTimeouts = TIMEOUTS,
    watch: StallDetector | None = None,
) -> AsyncEngine:
    """Create an engine with a pool, whose connections `watch` gives up when the database is silent."""
    engine = create_async_engine(
        DRIVER,
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeouts.wait,
        pool_use_lifo=True,
        hide_parameters=True,  # errors are logged, and parameters hold password hashes
        native_inet_types=False,  # addresses are text, as the models say
        json_deserializer=orjson.loads,  # the standard library's makes whole numbers beyond 64 bits of 1e300
        async_creator=watched_connector(url, POOL_SETTINGS, watch=watch),
    )

    def check_alive(_connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        check_connection(entry, timeouts)

    event.listen(engine.sync_engine, "checkin", note_idle)
    event.listen(engine.sync_engine, "checkout", check_alive)
    event.listen(engine.sync_engine, "handle_error", invalidate_lost)
    if watch is not None:
        watch.observe(engine.sync_engine)
    return engine


def create_dedicated_engine(url: str, watch: StallDetector | None = None) -> AsyncEngine:
    """Create an engine without a pool, for connections of their own."""
    engine = create_async_engine(
        DRIVER,
        poolclass=NullPool,
        hide_parameters=True,
        native_inet_types=False,
        json_deserializer=orjson.loads,
        async_creator=watched_connector(url, watch=watch),
    )
    if watch is not None:
        watch.observe(engine.sync_engine)
    return engine


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
