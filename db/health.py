"""Health of the database: whether it answers, and with which schema."""

from db.database import DATABASE_ERRORS, Database
from db.migrate import current_revision


async def read_revision(db: Database) -> str | None:
    """Return the revision of its schema, empty if it has none; None if it does not answer."""
    try:
        async with db.transaction() as session:
            connection = await session.connection()
            return await connection.run_sync(current_revision) or ""
    except DATABASE_ERRORS:
        return None
