"""All that a database holds, as text."""

from sqlalchemy import text

from db.database import Database


async def everything(db: Database) -> str:
    """Return all rows of all tables."""
    async with db.transaction() as session:
        tables = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        texts: list[str] = []
        for table in tables.all():
            rows = await session.scalars(text(f'SELECT CAST(own AS text) FROM "{table}" AS own'))
            texts += rows.all()
    return "\n".join(texts)
