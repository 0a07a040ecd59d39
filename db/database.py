"""Connections to PostgreSQL: one pool, transactions that use cases open, and single reads without one."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import orjson
from asyncpg import Connection, InterfaceError, InternalClientError, PostgresError
from sqlalchemy import URL, ExceptionContext, Executable, Row, event, func, make_url, select, text
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection, QueuePool
from sqlalchemy.util import await_only, greenlet_spawn

from db.outages import loses_connection

# What a database that is away, or goes away, is told by. FileNotFoundError: its socket is missing.
DATABASE_ERRORS = (
    SQLAlchemyError,
    PostgresError,
    InterfaceError,
    ConnectionError,
    FileNotFoundError,
    TimeoutError,
)

Transaction = AsyncSession  # what a use case holds, and hands to its queries

# Seconds.
POOL_WAIT = 2.0  # SQLAlchemy's own 30 would hold a client that long before it is told 503
CONNECT_WAIT = 2.0
TRUSTED_IDLE = 1.0  # a connection that was in use so lately is not pinged: that costs as much as a read
PING_WAIT = 1.0

# Takes effect with the next statement of the transaction.
PLAN_FOR_VALUES = func.set_config("plan_cache_mode", "force_custom_plan", True)

BATCH = 1000  # rows of a large answer that are in memory at a time

CONNECT_ARGS: dict[str, Any] = {
    "timeout": CONNECT_WAIT,
    "server_settings": {
        "timezone": "UTC",
        "jit": "off",
        # Parallel workers take 5 ms to start, which the default of 1,000 does not tell: reports of 2 ms took
        # 12 at 10 million visits, to start workers for a branch that found nothing to do.
        "parallel_setup_cost": "50000",
    },
}


def asyncpg_url(url: str) -> URL:
    """The same address for SQLAlchemy's asyncpg driver, from any of libpq's spellings."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+asyncpg")


def create_engine(url: str, *, pool_size: int = 5, autocommit: bool = False) -> AsyncEngine:
    engine = create_async_engine(
        asyncpg_url(url),
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT,
        hide_parameters=True,  # errors are logged, and parameters hold password hashes
        native_inet_types=False,  # addresses are text, as the models say
        json_deserializer=orjson.loads,  # the standard library's makes whole numbers beyond 64 bits of 1e300
        connect_args=CONNECT_ARGS,
    )
    event.listen(engine.sync_engine, "checkin", note_idle)
    event.listen(engine.sync_engine, "checkout", check_alive)
    event.listen(engine.sync_engine, "handle_error", drop_lost)
    return engine


def note_idle(_connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info["idle_since"] = time.monotonic()


def check_alive(_connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """Make the pool connect anew in place of a connection that has died.

    The event loop knows at once of a server that closed its end, as one that restarts does. Only a ping
    finds one that vanished without a word.
    """
    driver = entry.driver_connection
    assert driver is not None
    if driver.is_closed():
        raise DisconnectionError
    idle_since = entry.info.get("idle_since")
    if idle_since is None or time.monotonic() - idle_since < TRUSTED_IDLE:
        return
    try:
        await_only(driver.execute("SELECT", timeout=PING_WAIT))
    except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
        raise DisconnectionError from error


def drop_lost(context: ExceptionContext) -> None:
    """Give no connection back to the pool on which nothing more can be said."""
    if loses_connection(context.original_exception):
        context.is_disconnect = True


class Database:
    """Where use cases get their transactions from.

    Tests bind it to a connection whose outer transaction they undo: a use case's commit is then a savepoint.
    """

    def __init__(
        self, bind: AsyncEngine | AsyncConnection, *, reads: AsyncEngine | None = None, url: str | None = None
    ) -> None:
        """`reads`, if given, is in autocommit; `hold` connects to `url`. Without them both use `bind`."""
        self._bind = bind
        self._reads = reads
        self._url = url

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 5) -> "Database":
        # One pool. Changing the isolation of a connection costs 70 us, which the transactions pay.
        reads = create_engine(url, pool_size=pool_size, autocommit=True)
        return cls(reads.execution_options(isolation_level="READ COMMITTED"), reads=reads, url=url)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back if it raises."""
        session = AsyncSession(self._bind, expire_on_commit=False, join_transaction_mode="create_savepoint")
        async with session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """For one SELECT: no BEGIN and COMMIT around it, so half as dear. Two would see two states."""
        if self._reads is None:
            async with self.transaction() as session:
                yield session
            return
        session = AsyncSession(self._reads, expire_on_commit=False)
        try:
            yield session
        finally:
            # Nothing is sent here, so nothing needs the task that `async with session` shields it with.
            await session.close()

    def autocommit(self) -> AbstractAsyncContextManager[AsyncSession]:
        """For one statement that writes, where BEGIN and COMMIT would be a tenth of its price.

        It is a transaction by itself: all of it is done, or nothing.
        """
        return self.read()

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[Connection]:
        """For one statement of the routes asked most: asyncpg itself, at a third of what `read` costs.

        Its errors are the driver's own, but for a lost connection, which is a ConnectionError.
        """
        if self._reads is None:
            async with self.transaction() as session:
                yield _driver_of(await (await session.connection()).get_raw_connection())
            return
        pooled = await greenlet_spawn(self._reads.sync_engine.pool.connect)
        try:
            yield _driver_of(pooled)
        except BaseException as error:
            if isinstance(error, PostgresError) and not loses_connection(error):
                raise
            # Cut off within a reply, or lost: nobody else must get it.
            pooled.invalidate(error)
            if isinstance(error, InterfaceError | InternalClientError):
                raise ConnectionError(str(error)) from error
            raise
        finally:
            pooled.close()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[AsyncSession]:
        """A transaction that stays open for long: on a connection of its own, so that it starves no pool."""
        if self._url is None:
            async with self.transaction() as session:
                yield session
            return
        engine = create_async_engine(
            asyncpg_url(self._url),
            poolclass=NullPool,
            json_deserializer=orjson.loads,
            connect_args=CONNECT_ARGS,
        )
        connection = await engine.connect()
        try:
            async with AsyncSession(connection) as session, session.begin():
                yield session
        finally:
            # A task that is cancelled meanwhile waits all the same: its loop may be about to end.
            closing = asyncio.create_task(connection.close())
            try:
                await asyncio.shield(closing)
            finally:
                await asyncio.wait([closing])

    def pool_counts(self) -> tuple[int, int]:
        """Connections of the pool that are in use, and that are idle."""
        pool = self._reads.pool if self._reads is not None else None
        return (pool.checkedout(), pool.checkedin()) if isinstance(pool, QueuePool) else (0, 0)

    async def close(self) -> None:
        if isinstance(self._bind, AsyncEngine):
            await self._bind.dispose()


async def driver_of(session: AsyncSession) -> Connection:
    """The driver within the session's transaction, which SQLAlchemy begins with its first statement."""
    connection = await session.connection()
    await connection.execute(text("SELECT"))
    return _driver_of(await connection.get_raw_connection())


def _driver_of(pooled: PoolProxiedConnection) -> Connection:
    driver = pooled.driver_connection
    assert isinstance(driver, Connection)
    return driver


async def plan_for_values(session: AsyncSession) -> None:
    """Have the transaction's statements planned for the values asked for.

    A plan for any value would take an absent filter for one that is there, and a rare value for a common one.
    """
    await session.execute(select(PLAN_FOR_VALUES))


async def select_in_batches(session: AsyncSession, query: Executable) -> AsyncGenerator[Sequence[Row[Any]]]:
    """The rows of a query of any size, `BATCH` at a time, all as they were at one moment.

    They come from a cursor of the server, so the session stays open until the last of them is taken: use
    `Database.hold`, which starves no pool.
    """
    result = await session.stream(query)
    async for rows in result.partitions(BATCH):
        yield rows
