"""Connections to PostgreSQL: a pool, transactions that use cases open, and single reads without one."""

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

# What is raised when the database is away, or goes away. FileNotFoundError: its socket is missing.
DATABASE_ERRORS = (
    SQLAlchemyError,
    PostgresError,
    InterfaceError,
    ConnectionError,
    FileNotFoundError,
    TimeoutError,
)

AnyRow = Row[*tuple[Any, ...]]
Transaction = AsyncSession  # what a use case opens and passes to its queries

# Seconds.
POOL_TIMEOUT = 2.0  # a client gets 503 after it; SQLAlchemy's default is 30
CONNECT_TIMEOUT = 2.0
TRUSTED_IDLE = 1.0  # a connection used within it is not pinged: a ping costs as much as a read
PING_TIMEOUT = 1.0

# Takes effect with the next statement of the transaction.
FORCE_CUSTOM_PLAN = func.set_config("plan_cache_mode", "force_custom_plan", True)

BATCH = 1000  # rows of a large result that are in memory at a time

CONNECT_ARGS: dict[str, Any] = {
    "timeout": CONNECT_TIMEOUT,
    "server_settings": {
        "timezone": "UTC",
        "jit": "off",
        # Parallel workers take 5 ms to start, for which the default of 1,000 is too low: reports of 2 ms took
        # 12 at 10 million visits, because workers started for a branch that had nothing to do.
        "parallel_setup_cost": "50000",
    },
}


def asyncpg_url(url: str) -> URL:
    """Convert any of libpq's spellings of an address to one for SQLAlchemy with asyncpg."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+asyncpg")


def create_engine(url: str, *, pool_size: int = 5, autocommit: bool = False) -> AsyncEngine:
    engine = create_async_engine(
        asyncpg_url(url),
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        hide_parameters=True,  # errors are logged, and parameters hold password hashes
        native_inet_types=False,  # addresses are text, as the models say
        json_deserializer=orjson.loads,  # the standard library's makes whole numbers beyond 64 bits of 1e300
        connect_args=CONNECT_ARGS,
    )
    event.listen(engine.sync_engine, "checkin", note_idle)
    event.listen(engine.sync_engine, "checkout", check_alive)
    event.listen(engine.sync_engine, "handle_error", invalidate_lost)
    return engine


def note_idle(_connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info["idle_since"] = time.monotonic()


def check_alive(_connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
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
    if idle_since is None or time.monotonic() - idle_since < TRUSTED_IDLE:
        return
    try:
        await_only(raw.execute("SELECT", timeout=PING_TIMEOUT))
    except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
        raise DisconnectionError from error


def invalidate_lost(context: ExceptionContext) -> None:
    """Keep a connection that can't be used any more from going back to the pool."""
    if loses_connection(context.original_exception):
        context.is_disconnect = True


class Database:
    """The source of the use cases' transactions.

    Tests bind it to one connection and roll back its outer transaction: a use case's commit is then a
    savepoint.
    """

    def __init__(
        self, bind: AsyncEngine | AsyncConnection, *, reads: AsyncEngine | None = None, url: str | None = None
    ) -> None:
        """Make a database of one engine or connection.

        :param reads: an engine in autocommit for single reads; without it they use `bind`
        :param url: the address for dedicated connections; without it they use `bind`
        """
        self._bind = bind
        self._reads = reads
        self._url = url

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 5) -> "Database":
        # Both share one pool. Transactions pay 70 us for changing the isolation level of a connection.
        reads = create_engine(url, pool_size=pool_size, autocommit=True)
        return cls(reads.execution_options(isolation_level="READ COMMITTED"), reads=reads, url=url)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction: committed at the end of the block, rolled back if it raises."""
        session = AsyncSession(self._bind, expire_on_commit=False, join_transaction_mode="create_savepoint")
        async with session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a session for one SELECT, without BEGIN and COMMIT: half the cost. Two may see two states."""
        if self._reads is None:
            async with self.transaction() as session:
                yield session
            return
        session = AsyncSession(self._reads, expire_on_commit=False)
        try:
            yield session
        finally:
            # Nothing is sent here, so the task with which `async with session` shields it is not needed.
            await session.close()

    def autocommit(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a session for one statement that writes, where BEGIN and COMMIT would be a tenth of its cost.

        The statement is a transaction by itself.
        """
        return self.read()

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[Connection]:
        """Lend asyncpg's connection for one statement of a busy route, at a third of what `read` costs.

        :raises PostgresError: asyncpg's errors are not wrapped
        :raises ConnectionError: the connection is lost
        """
        if self._reads is None:
            async with self.transaction() as session:
                yield raw_of(await (await session.connection()).get_raw_connection())
            return
        pooled = await greenlet_spawn(self._reads.sync_engine.pool.connect)
        try:
            yield raw_of(pooled)
        except BaseException as error:
            if isinstance(error, PostgresError) and not loses_connection(error):
                raise
            # It is cut off within a reply, or lost: nobody else may get it.
            pooled.invalidate(error)
            if isinstance(error, InterfaceError | InternalClientError):
                raise ConnectionError(str(error)) from error
            raise
        finally:
            pooled.close()

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction for long work, on a connection of its own: the pool would run out of them."""
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
            # Wait also when the task is cancelled meanwhile: its loop may be about to end.
            closing = asyncio.create_task(connection.close())
            try:
                await asyncio.shield(closing)
            finally:
                await asyncio.wait([closing])

    def pool_counts(self) -> tuple[int, int]:
        """Return how many connections of the pool are in use, and how many are idle."""
        pool = self._reads.pool if self._reads is not None else None
        return (pool.checkedout(), pool.checkedin()) if isinstance(pool, QueuePool) else (0, 0)

    async def close(self) -> None:
        if isinstance(self._bind, AsyncEngine):
            await self._bind.dispose()


async def raw_connection(session: AsyncSession) -> Connection:
    """Return asyncpg's connection within the session's transaction."""
    connection = await session.connection()
    await connection.execute(text("SELECT"))  # SQLAlchemy begins the transaction with its first statement
    return raw_of(await connection.get_raw_connection())


def raw_of(pooled: PoolProxiedConnection) -> Connection:
    raw = pooled.driver_connection
    assert isinstance(raw, Connection)
    return raw


async def force_custom_plan(session: AsyncSession) -> None:
    """Have PostgreSQL plan the transaction's statements for the values of their parameters.

    A generic plan would treat an absent filter like a present one, and a rare value like a common one.
    """
    await session.execute(select(FORCE_CUSTOM_PLAN))


async def select_in_batches(session: AsyncSession, query: Executable) -> AsyncGenerator[Sequence[AnyRow]]:
    """Yield the rows of a query of any size in batches of BATCH, from one snapshot.

    They come from a server-side cursor, which keeps the session open until the last row: use
    `Database.dedicated`.
    """
    result = await session.stream(query)
    async for rows in result.partitions(BATCH):
        yield rows
