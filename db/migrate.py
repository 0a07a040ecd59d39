"""Migrates the schema, and reads its revision."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from asyncpg import InterfaceError, PostgresError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import create_single_engine
from db.locks import lock_migration
from db.unusable import DatabaseUnusable, describe_unusable
from migrations.old_visits import estimate_lines, move_span
from migrations.page_names import estimate_rows, rename_span

if TYPE_CHECKING:
    from alembic.config import Config

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ROOT / "migrations" / "versions"
DOWN_REVISION = re.compile(r'^down_revision[^=]*= *(?:"(.*)"|None)$', re.MULTILINE)

log = structlog.get_logger("trawl.migrate")


@dataclass(frozen=True, slots=True)
class Work:
    """What is done to the rows of earlier builds at a revision, span by span, before the next one.

    :param event: names it in the log
    :param change_span: changes some rows, and returns how many; 0 when there are none left
    :param estimate: returns about how many there are
    """

    revision: str
    event: str
    change_span: Callable[[Connection], int]
    estimate: Callable[[Connection], int]


WORK = (
    Work("0020", "visits_moved", move_span, estimate_lines),
    Work("0024", "pages_renamed", rename_span, estimate_rows),
)


@lru_cache(1)
def revisions() -> tuple[str, ...]:
    """Return all revisions, each after the one that it follows."""
    followers: dict[str | None, str] = {}
    for path in VERSIONS.glob("[0-9]*_*.py"):
        match = DOWN_REVISION.search(path.read_text(encoding="utf-8"))
        followers[match[1] if match else None] = path.name.partition("_")[0]
    chain: list[str] = []
    while (follower := followers.get(chain[-1] if chain else None)) is not None:
        chain.append(follower)
    return tuple(chain)


def newest_revision() -> str:
    """Return the revision that this code needs."""
    return revisions()[-1]


def is_before(revision: str | None, other: str) -> bool:
    """Return whether a database at a revision has yet to come to the other."""
    chain = revisions()
    return revision is None or (revision in chain and chain.index(revision) < chain.index(other))


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


Progress = Callable[
    [str, int, int], object
]  # called with an event, its rows so far and about how many in all


def log_progress(event: str, rows: int, total: int) -> None:
    log.info(event, rows=rows, of_about=total)


async def migrate(url: str, *, on_progress: Progress = log_progress) -> tuple[str | None, str | None]:
    """Upgrade to the newest revision. Return the revisions before and after.

    Rows of earlier builds are changed in many transactions: if it ends in between, the next call goes on.

    :raises DatabaseUnusable: the database can't be reached or refuses
    """
    try:
        return await upgrade_to_newest(url, on_progress)
    except (OSError, SQLAlchemyError, PostgresError, InterfaceError) as error:
        raise DatabaseUnusable(describe_unusable(url, error)) from error


async def upgrade_to_newest(url: str, on_progress: Progress) -> tuple[str | None, str | None]:
    """Migrate, and change old rows in spans between. Return the revisions before and after."""
    engine = create_single_engine(url)
    try:
        async with engine.connect() as connection:
            first = before = await connection.run_sync(current_revision)
            if before == newest_revision():
                return before, before
            await connection.rollback()
            for work in WORK:
                if is_before(before, work.revision):
                    async with connection.begin():
                        await connection.run_sync(upgrade, work.revision)
                    before = work.revision
                await work_by_spans(connection, work, on_progress)
            async with connection.begin():
                await connection.run_sync(upgrade)
            return first, await connection.run_sync(current_revision)
    finally:
        await engine.dispose()


async def work_by_spans(connection: AsyncConnection, work: Work, on_progress: Progress) -> None:
    """Change the rows of earlier builds, a transaction a span."""
    rows = total = 0
    while True:
        async with connection.begin():
            changed, total = await connection.run_sync(change_locked_span, work, total)
        if not changed:
            return
        rows += changed
        on_progress(work.event, rows, max(total, rows))


def change_locked_span(connection: Connection, work: Work, total: int) -> tuple[int, int]:
    """Change a span, unless another server has finished. Return its rows, and about how many there are."""
    lock_migration(connection)
    if current_revision(connection) != work.revision:
        return 0, total
    return work.change_span(connection), total or work.estimate(connection)
