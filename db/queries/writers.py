"""The lock of all who write visits: many store at once, and whoever changes or takes away is alone."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

WRITERS = 20_181
WRITE_ALONGSIDE = text(f"SELECT pg_advisory_xact_lock_shared({WRITERS}, 0)")
WRITE_ALONE = text(f"SELECT pg_advisory_xact_lock({WRITERS}, 0)")


async def write_alongside(session: AsyncSession) -> None:
    """Before visits are stored: others may store theirs meanwhile, and nobody takes any away."""
    await session.execute(WRITE_ALONGSIDE)


async def write_alone(session: AsyncSession) -> None:
    """Before visits are taken away: waits for those who are storing, and makes new ones wait."""
    await session.execute(WRITE_ALONE)
