"""Large changes of what is stored, part by part: whoever stores visits meanwhile is not held up for long."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.database import Database, Transaction
from db.queries.writers import write_alone

HELD_SECONDS = 0.2  # for which the writers are shut out at a time, about


class Pace:
    """How many rows to take at a time: as many as HELD_SECONDS allow, of which the last time tells.

    :param rows: for the first time
    :param most: at most
    """

    def __init__(self, rows: int, most: int) -> None:
        self._most = most
        self.rows = min(rows, most)

    @asynccontextmanager
    async def alone(self, db: Database) -> AsyncIterator[Transaction]:
        """A transaction with the writers shut out; then a rest as long as it was, which is theirs."""
        async with db.transaction() as session:
            await write_alone(session)
            began = time.perf_counter()
            yield session
        held = time.perf_counter() - began
        self.rows = max(1, min(round(self.rows * HELD_SECONDS / held), 2 * self.rows, self._most))
        await asyncio.sleep(held)
