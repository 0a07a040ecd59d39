"""Migrates the schema, and reads its revision."""

from pathlib import Path
from typing import TYPE_CHECKING

from asyncpg import InterfaceError, PostgresError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from db.dsn import describe_address
from db.engine import create_single_engine
from db.locks import lock_migration
from db.outages import driver_error

if TYPE_CHECKING:
    from alembic.config import Config

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ROOT / "migrations" / "versions"


def newest_revision() -> str:
    """Return the revision that this code needs: the largest number of a file of migrations."""
    return max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database; None before the first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def alembic_config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config(ROOT / "alembic.ini")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate within the connection's transaction, which holds the lock to its end."""
    from alembic import command

    lock_migration(connection)
    command.upgrade(alembic_config(connection), revision)


def downgrade(connection: Connection, revision: str = "base") -> None:
    from alembic import command

    command.downgrade(alembic_config(connection), revision)


class DatabaseUnusable(Exception):
    """The database can't be reached or used. The message names the setting, the address and the cause."""


async def migrate(url: str) -> tuple[str | None, str | None]:
    """Upgrade to the newest revision. Return the revisions before and after.

    :raises DatabaseUnusable: the database can't be reached or refuses
    """
    try:
        return await upgrade_to_newest(url)
    except TimeoutError as error:
        cause = "does not answer"
        raise DatabaseUnusable(f"DATABASE_URL: {describe_address(url)}: {cause}") from error
    except (OSError, SQLAlchemyError, PostgresError, InterfaceError) as error:
        cause = str(driver_error(error)).splitlines()[0]
        raise DatabaseUnusable(f"DATABASE_URL: {describe_address(url)}: {cause}") from error


async def upgrade_to_newest(url: str) -> tuple[str | None, str | None]:
    engine = create_single_engine(url)
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
