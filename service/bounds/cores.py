"""Which queries of one account compute at a time, where the database shares the cores of this machine.

More of them than there are cores would end no sooner, and short steps of all others would wait behind each.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class OwnerCores:
    """The cores of one owner, and its queries that have one or wait for it."""

    permits: asyncio.Semaphore
    queries: int = 0


class Cores:
    """Gives queries a core each, the owners apart. A query that has waited long shares one."""

    def __init__(self, *, each: int, seconds: float) -> None:
        """Make the cores.

        :param each: how many of them one owner gets
        :param seconds: that a query waits at most: what holds a core may wait itself, for a lock
        """
        self._each = each
        self._seconds = seconds
        self._owners: dict[Hashable, OwnerCores] = {}

    @asynccontextmanager
    async def core(self, owner: Hashable) -> AsyncIterator[None]:
        """Wait for a core, and hold it for the block."""
        cores = self._owners.setdefault(owner, OwnerCores(asyncio.Semaphore(self._each)))
        cores.queries += 1
        has_core = False
        try:
            has_core = await self._acquire(cores.permits)
            yield
        finally:
            if has_core:
                cores.permits.release()
            cores.queries -= 1
            if not cores.queries:
                del self._owners[owner]

    async def _acquire(self, permits: asyncio.Semaphore) -> bool:
        try:
            async with asyncio.timeout(self._seconds):
                return await permits.acquire()
        except TimeoutError:
            return False
