"""For what share of a time the lock is held under which parts are stored, one after the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

LOOK_SECONDS = 0.005
HELD = """
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND (classid, objid) = (20181, 2) AND mode = 'ExclusiveLock' AND granted
    )"""


@dataclass(slots=True)
class LockWatch:
    """How often the lock was looked at, and found held."""

    looks: int = 0
    held: int = 0

    @property
    def share(self) -> float:
        return self.held / self.looks

    async def look(self, connection: asyncpg.Connection, over: asyncio.Event) -> None:
        while not over.is_set():
            self.looks += 1
            self.held += await connection.fetchval(HELD)
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def watched(connection: asyncpg.Connection) -> AsyncIterator[LockWatch]:
    """Look at the lock of parts while the block runs."""
    watch, over = LockWatch(), asyncio.Event()
    task = asyncio.create_task(watch.look(connection, over))
    try:
        yield watch
    finally:
        over.set()
        await task
