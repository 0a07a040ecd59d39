"""Connections to PostgreSQL: one pool, and transactions that use cases open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

Transaction = AsyncSession  # what a use case holds, and hands to its queries

POOL_WAIT = 2.0  # seconds; SQLAlchemy's own 30 would hold a client that long before it is told 503
CONNECT_WAIT = 2.0  # seconds


def asyncpg_url(url: str) -> URL:
    """The same address for SQLAlchemy's asyncpg driver, from any of libpq's spellings."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+asyncpg")


def create_engine(url: str, *, pool_size: int = 5) -> AsyncEngine:
    return create_async_engine(
        asyncpg_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT,
        pool_pre_ping=True,
        connect_args={"timeout": CONNECT_WAIT, "server_settings": {"timezone": "UTC", "jit": "off"}},
    )


class Database:
    """Where use cases get their transactions from.

    Tests bind it to a connection whose outer transaction they undo: a use case's commit is then a savepoint.
    """

    def __init__(self, bind: AsyncEngine | AsyncConnection) -> None:
        self._bind = bind

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 5) -> "Database":
        return cls(create_engine(url, pool_size=pool_size))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back if it raises."""
        session = AsyncSession(self._bind, expire_on_commit=False, join_transaction_mode="create_savepoint")
        async with session, session.begin():
            yield session

    async def close(self) -> None:
        if isinstance(self._bind, AsyncEngine):
            await self._bind.dispose()
