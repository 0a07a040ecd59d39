"""A database of one connection, whose outer transaction a test rolls back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
        async with super().transaction() as session:  # without the lock: the others run inside of it
            yield session

    @asynccontextmanager
    async def dedicated_snapshot(self) -> AsyncIterator[AsyncSession]:
        async with self.dedicated() as session:
            yield session
