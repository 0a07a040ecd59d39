"""Migrates the schema, and reads its revision."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from asyncpg import InterfaceError, PostgresError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.dsn import describe_address
from db.engine import create_single_engine
from db.locks import lock_migration
from db.outages import driver_error
from migrations.old_visits import estimate_lines, move_span

if TYPE_CHECKING:
    from alembic.config import Config

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ROOT / "migrations" / "versions"
MOVING_REVISION = "0020"  # at which log lines are moved from rows into parts

log = structlog.get_logger("trawl.migrate")


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


Progress = Callable[[int, int], object]  # called with lines moved so far, and about how many there are


def log_progress(lines: int, total: int) -> None:
    log.info("visits_moved", lines=lines, of_about=total)


async def migrate(url: str, *, on_progress: Progress = log_progress) -> tuple[str | None, str | None]:
    """Upgrade to the newest revision. Return the revisions before and after.

    Log lines of earlier builds are moved in many transactions: if it ends in between, the next call goes on.

    :raises DatabaseUnusable: the database can't be reached or refuses
    """
    try:
        return await upgrade_to_newest(url, on_progress)
    except TimeoutError as error:
        cause = "does not answer"
        raise DatabaseUnusable(f"DATABASE_URL: {describe_address(url)}: {cause}") from error
    except (OSError, SQLAlchemyError, PostgresError, InterfaceError) as error:
        [cause, *_] = str(driver_error(error)).splitlines() or [type(error).__name__]
        raise DatabaseUnusable(f"DATABASE_URL: {describe_address(url)}: {cause}") from error


async def upgrade_to_newest(url: str, on_progress: Progress) -> tuple[str | None, str | None]:
    engine = create_single_engine(url)
    try:
        async with engine.connect() as connection:
            before = await connection.run_sync(current_revision)
            if before == newest_revision():
                return before, before
            await connection.rollback()
            if (before or "") < MOVING_REVISION:
                async with connection.begin():
                    await connection.run_sync(upgrade, MOVING_REVISION)
            await move_old_visits(connection, on_progress)
            async with connection.begin():
                await connection.run_sync(upgrade)
            return before, await connection.run_sync(current_revision)
    finally:
        await engine.dispose()


async def move_old_visits(connection: AsyncConnection, on_progress: Progress) -> None:
    """Move the log lines of earlier builds into parts, a transaction a span."""
    lines = total = 0
    while True:
        async with connection.begin():
            moved, total = await connection.run_sync(move_locked_span, total)
        if not moved:
            return
        lines += moved
        on_progress(lines, max(total, lines))


def move_locked_span(connection: Connection, total: int) -> tuple[int, int]:
    """Move a span, unless another server has finished. Return its lines, and about how many there are."""
    lock_migration(connection)
    if current_revision(connection) != MOVING_REVISION:
        return 0, total
    return move_span(connection), total or estimate_lines(connection)
