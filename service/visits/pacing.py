"""Changes many visits in batches, so that nobody who stores visits meanwhile waits for long."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from db.database import Database, Transaction
from db.locks import lock_parts, lock_writers_exclusive, lock_writers_shared

Lock = Callable[[Transaction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The most rows of each kind in a batch, and the seconds for which one should hold the writers' lock."""

    visits: int = 20_000
    parts: int = 8
    goods: int = 1000
    addresses: int = 50_000
    events: int = 5000
    lock_seconds: float = 0.2


LIMITS = BatchLimits()


class AdaptiveBatch:
    """The number of rows to take in the next batch, such that it takes about as long as it should.

    :param rows: in the first batch
    :param most: in any batch
    :param seconds: for which a batch should hold the writers' lock
    """

    def __init__(self, rows: int, most: int, seconds: float = LIMITS.lock_seconds) -> None:
        self.rows = min(rows, most)
        self._most = most
        self._seconds = seconds

    def exclusive(self, db: Database) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that keeps writers out; then leave them as much time as it took."""
        return self._locked(db, lock_writers_exclusive)

    def alone_with_parts(self, db: Database) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that alone changes parts, beside live visits; then leave others time."""
        return self._locked(db, lock_writers_shared, lock_parts)

    @asynccontextmanager
    async def _locked(self, db: Database, *locks: Lock) -> AsyncIterator[Transaction]:
        async with db.transaction() as session:
            for lock in locks:
                await lock(session)
            start = time.perf_counter()
            yield session
        seconds = time.perf_counter() - start
        self.rows = max(1, min(round(self.rows * self._seconds / seconds), 2 * self.rows, self._most))
        await asyncio.sleep(seconds)
