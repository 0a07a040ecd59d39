"""What a use case does with a session it has opened: asyncpg's connection, plans, large results."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from asyncpg import Connection
from sqlalchemy import Executable, Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import raw_of

AnyRow = Row[*tuple[Any, ...]]

# Takes effect with the next statement of the transaction.
FORCE_CUSTOM_PLAN = func.set_config("plan_cache_mode", "force_custom_plan", True)

# Rows of a large result that are in memory at a time. Decoding them holds the event loop: two milliseconds.
BATCH = 250


async def raw_connection(session: AsyncSession) -> Connection:
    """Return asyncpg's connection within the session's transaction."""
    connection = await session.connection()
    raw = raw_of(await connection.get_raw_connection())
    if not raw.is_in_transaction():
        await connection.execute(text("SELECT"))  # SQLAlchemy begins the transaction with its first statement
    return raw


async def force_custom_plan(session: AsyncSession) -> None:
    """Have PostgreSQL plan the transaction's statements for the values of their parameters.

    A generic plan would treat an absent filter like a present one, and a rare value like a common one.
    """
    await session.execute(select(FORCE_CUSTOM_PLAN))


async def select_in_batches(session: AsyncSession, query: Executable) -> AsyncGenerator[Sequence[AnyRow]]:
    """Yield the rows of a query of any size in batches of BATCH, from one snapshot.

    They come from a server-side cursor, which keeps the session open until the last row: use
    `Database.dedicated`.
    """
    result = await session.stream(query)
    async for rows in result.partitions(BATCH):
        yield rows
