"""A database of one connection, whose outer transaction a test undoes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from db.database import Database


class OneAtATime(Database):
    """Transactions of one connection, which wait for each other."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with self._turn, super().transaction() as session:
            yield session

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator[AsyncSession]:
        async with super().transaction() as session:  # beside the others, which end before it does
            yield session
