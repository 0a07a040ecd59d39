"""Changes many visits in batches, so that nobody who stores visits meanwhile waits for long."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from db.database import Database, Transaction
from db.locks import lock_cart_rollups, lock_parts, lock_writers_exclusive

Lock = Callable[[Transaction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The most rows of each kind in a batch, and the seconds for which one should hold a lock."""

    visits: int = 20_000
    parts: int = 12
    carts: int = 20_000
    goods: int = 1000
    addresses: int = 50_000
    events: int = 50_000
    lock_seconds: float = 0.2


LIMITS = BatchLimits()


class AdaptiveBatch:
    """The number of rows to take in the next batch, such that it takes about as long as it should.

    :param rows: in the first batch
    :param least: in any batch, also where the machine is busy with other things
    :param most: in any batch
    :param seconds: for which a batch should hold a lock
    """

    def __init__(self, rows: int, most: int, seconds: float = LIMITS.lock_seconds, *, least: int = 1) -> None:
        self.rows = min(rows, most)
        self._most = most
        self._least = min(least, most)
        self._seconds = seconds

    def exclusive(self, db: Database) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that keeps all writers out; then leave them as much time as it took."""
        return self._locked(db, lock_parts, lock_writers_exclusive)

    def of_carts(self, db: Database) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that alone changes carts or goods; then leave others as much time as it took."""
        return self._locked(db, lock_cart_rollups)

    def of_goods(self, db: Database) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that alone infers goods; then leave others as much time as it took."""
        return self._locked(db, lock_parts, lock_cart_rollups)

    @asynccontextmanager
    async def _locked(self, db: Database, *locks: Lock) -> AsyncIterator[Transaction]:
        async with db.transaction() as session:
            for lock in locks:
                await lock(session)
            start = time.perf_counter()
            yield session
        seconds = time.perf_counter() - start
        most = min(round(self.rows * self._seconds / seconds), 2 * self.rows, self._most)
        self.rows = max(self._least, most)
        await asyncio.sleep(seconds)
