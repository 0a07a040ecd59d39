"""Changes many visits in batches, so that nobody who stores visits meanwhile waits for long."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.database import Database, Transaction
from db.locks import lock_writers_exclusive

LOCK_SECONDS = 0.2  # for which a batch should hold the writers' lock


class AdaptiveBatch:
    """The number of rows to take in the next batch, such that it takes about LOCK_SECONDS.

    :param rows: in the first batch
    :param most: in any batch
    """

    def __init__(self, rows: int, most: int) -> None:
        self._most = most
        self.rows = min(rows, most)

    @asynccontextmanager
    async def exclusive(self, db: Database) -> AsyncIterator[Transaction]:
        """Open a transaction that keeps the writers out; then leave them as much time as it took."""
        async with db.transaction() as session:
            await lock_writers_exclusive(session)
            start = time.perf_counter()
            yield session
        seconds = time.perf_counter() - start
        self.rows = max(1, min(round(self.rows * LOCK_SECONDS / seconds), 2 * self.rows, self._most))
        await asyncio.sleep(seconds)
