"""Brings the schema up to date, or says whether it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.database import asyncpg_url

ROOT = Path(__file__).resolve().parent.parent
MIGRATION_LOCK = 7241800  # any number of our own: two servers that start at once migrate one after the other


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config(ROOT / "alembic.ini")
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str | None:
    """The revision that this code expects."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate inside the connection's transaction; the lock goes with it."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    command.upgrade(alembic_config(connection), revision)


def downgrade(connection: Connection, revision: str = "base") -> None:
    command.downgrade(alembic_config(connection), revision)


def current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def migrate(url: str) -> tuple[str | None, str | None]:
    """Upgrade to the newest revision. Returns the revisions before and after."""
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            before = await connection.run_sync(current_revision)
            if before == newest_revision():
                return before, before
            await connection.rollback()
            async with connection.begin():
                await connection.run_sync(upgrade)
            return before, await connection.run_sync(current_revision)
    finally:
        await engine.dispose()
