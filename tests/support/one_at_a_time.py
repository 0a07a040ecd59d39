"""A database of one connection, whose outer transaction a test rolls back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from db.database import Database


class OneAtATime(Database):
    """Transactions on one connection, one after the other."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with self._lock, super().transaction() as session:
            yield session

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction inside of which the others run: it begins and ends between two of them."""
        async with AsyncExitStack() as stack:
            await self._lock.acquire()
            stack.callback(self._lock.release)
            session = await stack.enter_async_context(super().transaction())
            await session.connection()  # begins it
            stack.push_async_callback(self._lock.acquire)
            self._lock.release()
            yield session

    @asynccontextmanager
    async def dedicated_snapshot(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that asyncpg reads by itself: nothing else can use the connection meanwhile."""
        async with self.transaction() as session:
            yield session
