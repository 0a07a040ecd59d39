"""The locks of the logs that a process follows, so that no other follows them too."""

import asyncio
from contextlib import AsyncExitStack, suppress

from db.database import DATABASE_ERRORS, Database, Transaction
from db.locks import follow_key, try_lock

LOCKS_MAX = 200  # PostgreSQL's table of locks is shared by all


class FollowLocks:
    """Locks by path, first line and location, in one transaction, which keeps each until it ends.

    Those of logs that were rotated away are given back all at once, when there are many.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._stack = AsyncExitStack()
        self._session: Transaction | None = None
        self._keys: set[str] = set()
        self._lock = asyncio.Lock()

    async def acquire(self, file: str, first_line: bytes, location: str) -> bool:
        """Lock a log; False if another process follows it."""
        key = follow_key(file, first_line, location)
        async with self._lock:
            if key in self._keys:
                return True
            if len(self._keys) >= LOCKS_MAX:
                await self._close()
            if self._session is None:
                self._session = await self._stack.enter_async_context(self._db.dedicated())
            if not await try_lock(self._session, key):
                return False
            self._keys.add(key)
            return True

    async def release_all(self) -> None:
        """Give all locks back, also where the connection that held them is lost."""
        async with self._lock:
            await self._close()

    async def _close(self) -> None:
        stack, self._stack, self._session = self._stack, AsyncExitStack(), None
        self._keys.clear()
        with suppress(*DATABASE_ERRORS):  # a connection that is lost holds no lock any more
            await stack.aclose()
