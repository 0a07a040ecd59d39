"""Connections to PostgreSQL: a pool, transactions that use cases open, and single reads without one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from asyncpg import Connection, InterfaceError, InternalClientError, PostgresError
from sqlalchemy.exc import EmulatedDBAPIException, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.pool import PoolProxiedConnection, QueuePool
from sqlalchemy.util import greenlet_spawn

from db.engine import TIMEOUTS, PoolTimeouts, connector, create_dedicated_engine, create_engine
from db.outages import loses_connection
from db.replication import State
from db.stalls import STALL_TIMES, StallDetector, StallTimes

# What is raised when the database is away, or goes away. FileNotFoundError: its socket is missing.
DATABASE_ERRORS = (
    SQLAlchemyError,
    PostgresError,
    InterfaceError,
    ConnectionError,
    FileNotFoundError,
    TimeoutError,
)

Transaction = AsyncSession  # what a use case opens and passes to its queries

# Names the transactions whose work a read sees: two reads of a server have it in common only if they see the
# same. Commits to any table change it. The snapshots of a replica do not name the transactions that run on
# the primary, so that two may be equal between which one of these has committed: its place in the log tells.
VERSION = """
SELECT concat_ws(' ', CASE WHEN pg_is_in_recovery() THEN CAST(pg_last_wal_replay_lsn() AS text)
    ELSE CAST(pg_current_snapshot() AS text) END, pg_is_in_recovery(), pg_postmaster_start_time())
"""
# Where a transaction that has committed is in the log.
POSITION = "SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint)"

Raw = Connection  # asyncpg's, within a transaction


@dataclass(frozen=True, slots=True)
class ReplicaHealth:
    """Whether a replica is read from, and how many seconds it is behind; None if that is not known."""

    state: State
    lag: float | None


class Database:
    """The source of the use cases' transactions.

    Tests bind it to one connection and roll back its outer transaction: a use case's commit is then a
    savepoint.
    """

    def __init__(
        self,
        bind: AsyncEngine | AsyncConnection,
        *,
        reads: AsyncEngine | None = None,
        url: str | None = None,
        watch: StallDetector | None = None,
    ) -> None:
        """Make a database of one engine or connection.

        :param reads: an engine in autocommit for single reads; without it they use `bind`
        :param url: the address for dedicated connections; without it they use `bind`
        :param watch: refuses what would wait for a silent database
        """
        self.bind = bind
        self._watch = watch
        self._reads = reads
        self._url = url
        # Of the engine itself: one with an isolation level of its own would set that again.
        self._snapshots = reads and reads.execution_options(isolation_level="REPEATABLE READ")

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        pool_size: int = 5,
        timeouts: PoolTimeouts = TIMEOUTS,
        stall_times: StallTimes = STALL_TIMES,
    ) -> "Database":
        """Make a database with a pool of connections, which are opened when they are needed."""
        watch = StallDetector(connector(url), stall_times)
        # Both share one pool. Transactions pay 70 us for changing the isolation level of a connection.
        reads = create_engine(url, pool_size=pool_size, autocommit=True, timeouts=timeouts, watch=watch)
        transactions = reads.execution_options(isolation_level="READ COMMITTED")
        return cls(transactions, reads=reads, url=url, watch=watch)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction: committed at the end of the block, rolled back if it raises."""
        self._check_stall()
        session = AsyncSession(self.bind, expire_on_commit=False, join_transaction_mode="create_savepoint")
        async with session, session.begin():
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction whose statements all see what was committed before its first one."""
        if self._snapshots is None:
            async with self.transaction() as session:
                yield session
            return
        self._check_stall()
        session = AsyncSession(self._snapshots, expire_on_commit=False)
        async with session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a session for one SELECT, without BEGIN and COMMIT: half the cost. Two may see two states."""
        if self._reads is None:
            async with self.transaction() as session:
                yield session
            return
        self._check_stall()
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
        self._check_stall()
        try:
            pooled = await greenlet_spawn(self._reads.sync_engine.pool.connect)
        except EmulatedDBAPIException as error:  # a refused connection: an engine would wrap it once more
            raise error.__cause__ or error from None
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
    async def raw_snapshot(self) -> AsyncIterator[Connection]:
        """Lend asyncpg's connection in a transaction like that of `snapshot`, at a third of its cost.

        :raises PostgresError: as `raw` does, like ConnectionError
        """
        async with self.raw() as raw:
            if self._reads is None:
                yield raw
                return
            await raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield raw
            except PostgresError as error:
                if not loses_connection(error):
                    await raw.execute("ROLLBACK")
                raise
            await raw.execute("COMMIT")

    async def select_version(self) -> str | None:
        """Return what changes with each commit that a read sees; None if own changes are not committed."""
        if self._reads is None:
            return None
        async with self.raw() as raw:
            return await self.version_of(raw)

    async def version_of(self, raw: Connection) -> str:
        version: str = await raw.fetchval(VERSION)
        return version

    async def select_position(self) -> int:
        """Return the place in the log behind all that has been committed."""
        async with self.raw() as raw:
            position: int = await raw.fetchval(POSITION)
        return position

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction for long work, on a connection of its own: the pool would run out of them."""
        async with self._dedicated("READ COMMITTED") as session:
            yield session

    @asynccontextmanager
    async def dedicated_snapshot(self) -> AsyncIterator[AsyncSession]:
        """Open a `snapshot` for long work, on a connection of its own."""
        async with self._dedicated("REPEATABLE READ") as session:
            yield session

    @asynccontextmanager
    async def _dedicated(self, isolation_level: str) -> AsyncIterator[AsyncSession]:
        if self._url is None:
            async with self.transaction() as session:
                yield session
            return
        self._check_stall()
        engine = create_dedicated_engine(self._url, self._watch)
        connection = await engine.execution_options(isolation_level=isolation_level).connect()
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

    def replica_health(self) -> ReplicaHealth | None:
        """Return the health of the replica that is read from; None where there is none."""
        return None

    def take_fall_backs(self) -> dict[str, int]:
        """Return how many reads of a replica the primary has served since the last call, by the reason."""
        return {}

    def pool_counts(self) -> tuple[int, int]:
        """Return how many connections of the pool are in use, and how many are idle."""
        pool = self._reads.pool if self._reads is not None else None
        return (pool.checkedout(), pool.checkedin()) if isinstance(pool, QueuePool) else (0, 0)

    def abort_connections(self) -> None:
        """Break all connections: what waits for them gets an error at once."""
        if self._watch is not None:
            self._watch.abort_connections()

    def _check_stall(self) -> None:
        if self._watch is not None:
            self._watch.check()

    async def close(self) -> None:
        if self._watch is not None:
            await self._watch.close()
        if isinstance(self.bind, AsyncEngine):
            await self.bind.dispose()


def raw_of(pooled: PoolProxiedConnection) -> Connection:
    raw = pooled.driver_connection
    assert isinstance(raw, Connection)
    return raw
