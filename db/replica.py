"""Reads from a replica while it is near enough, and from the primary else.

A request reads from one of them: what it reads first decides, and only ever from the replica to the primary.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from asyncpg import Connection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import DATABASE_ERRORS, Database, ReplicaHealth
from db.engine import TIMEOUTS, PoolTimeouts, connector
from db.outages import is_outage, loses_connection, sqlstate
from db.replication import REPLICA_TIMES, ReplicaMonitor, ReplicaTimes

T = TypeVar("T")
STARTING = "57P03"  # or stopping
FALL_BACKS = ("away", "behind", "own_writes")


@dataclass(slots=True)
class ReadScope:
    """What a request reads from.

    :param find_position: finds what of the log the caller must see; None stands for all of it
    """

    find_position: Callable[[], Awaitable[int | None]]
    is_from_primary: bool = False
    is_from_replica: bool = False


current_scope: ContextVar[ReadScope | None] = ContextVar("current_scope", default=None)


class ReplicatedDatabase(Database):
    """A database to read from, whose every read is of the replica or of the primary."""

    def __init__(self, primary: Database, replica: Database, monitor: ReplicaMonitor) -> None:
        super().__init__(replica.bind)
        self._fall_backs = dict.fromkeys(FALL_BACKS, 0)
        self._primary = primary
        self._replica = replica
        self._monitor = monitor

    @classmethod
    def of(
        cls,
        primary: Database,
        primary_url: str,
        replica_url: str,
        *,
        pool_size: int = 5,
        timeouts: PoolTimeouts = TIMEOUTS,
        times: ReplicaTimes = REPLICA_TIMES,
    ) -> "ReplicatedDatabase":
        replica = Database.connect(replica_url, pool_size=pool_size, timeouts=timeouts)
        connects = connector(primary_url), connector(replica_url)
        return cls(primary, replica, ReplicaMonitor(*connects, replica.abort_connections, times))

    def replica_health(self) -> ReplicaHealth:
        self._monitor.start()
        return ReplicaHealth(self._monitor.state(), self._monitor.lag())

    def take_fall_backs(self) -> dict[str, int]:
        taken, self._fall_backs = self._fall_backs, dict.fromkeys(FALL_BACKS, 0)
        return taken

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with self._open(lambda db: connected(db.transaction())) as session:
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        async with self._open(lambda db: connected(db.snapshot())) as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        async with self._open(lambda db: connected(db.read())) as session:
            yield session

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[Connection]:
        async with self._open(lambda db: db.raw()) as raw:
            yield raw

    @asynccontextmanager
    async def raw_snapshot(self) -> AsyncIterator[Connection]:
        async with self._open(lambda db: db.raw_snapshot()) as raw:
            yield raw

    def autocommit(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self._primary.autocommit()

    async def select_version(self) -> str | None:
        async with self._open(lambda db: db.raw()) as raw:
            return await self._replica.version_of(raw)

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator[AsyncSession]:
        async with self._open(lambda db: connected(db.dedicated())) as session:
            yield session

    @asynccontextmanager
    async def dedicated_snapshot(self) -> AsyncIterator[AsyncSession]:
        async with self._open(lambda db: connected(db.dedicated_snapshot())) as session:
            yield session

    def pool_counts(self) -> tuple[int, int]:
        return self._replica.pool_counts()

    async def close(self) -> None:
        await self._monitor.close()
        await self._replica.close()

    @asynccontextmanager
    async def _open(self, open_on: Callable[[Database], AbstractAsyncContextManager[T]]) -> AsyncIterator[T]:
        """Open something on the replica; on the primary if that can't be used, or is lost just now."""
        scope = current_scope.get()
        async with AsyncExitStack() as stack:
            if await self._may_use_replica(scope):
                try:
                    opened = await stack.enter_async_context(open_on(self._replica))
                except DATABASE_ERRORS as error:
                    if not is_outage(error):
                        raise
                    self._note_failure(error, scope)
                else:
                    try:
                        yield opened
                    except DATABASE_ERRORS as error:
                        self._note_failure(error, scope)
                        raise
                    return
            yield await stack.enter_async_context(open_on(self._primary))

    async def _may_use_replica(self, scope: ReadScope | None) -> bool:
        """Return whether the replica holds all that this request may read; note why, if it does not."""
        self._monitor.start()
        if scope is not None and scope.is_from_primary:
            return False
        state = self._monitor.state()
        if state != "ok":
            self._fall_back(state, scope)
            return False
        if scope is None:
            return True
        if not scope.is_from_replica:
            position = await scope.find_position()
            if position is None or position > self._monitor.progress.replayed:
                self._fall_back("own_writes", scope)
                return False
        scope.is_from_replica = True
        return True

    def _fall_back(self, reason: str, scope: ReadScope | None) -> None:
        self._fall_backs[reason] += 1
        if scope is not None:
            scope.is_from_primary = True

    def _note_failure(self, error: BaseException, scope: ReadScope | None) -> None:
        """Switch to the primary for the next attempt, if the replica is away."""
        if not is_outage(error):
            return
        self._fall_back("away", scope)
        is_lost = sqlstate(error) in (None, STARTING) and not isinstance(error, PoolTimeout)
        if is_lost or loses_connection(error):
            self._monitor.note_loss()


@asynccontextmanager
async def connected(opening: AbstractAsyncContextManager[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """Open a session, and have it take its connection at once, not with its first statement."""
    async with opening as session:
        await session.connection()
        yield session


def must_repeat(error: BaseException) -> bool:
    """Return whether a read failed for the replica's sake, so that the primary can serve it."""
    scope = current_scope.get()
    if scope is None or not (scope.is_from_replica and scope.is_from_primary) or not is_outage(error):
        return False
    scope.is_from_replica = False  # once
    return True
