"""`main.py migrate`, `backup` and `restore`."""

import asyncio
from pathlib import Path

import db.migrate
from bootstrap import Addresses
from commands.distribute import distribute_database
from commands.installation import open_installation
from commands.terminal import err, fail, interruption_message, load_settings, one_line_errors, say
from db.cluster_backup import dropped_parts_kept, repair_columns
from db.database import DATABASE_ERRORS, Database
from db.distribution import is_spread
from db.dsn import is_transaction_pooled
from db.unusable import DatabaseUnusable, describe_unusable
from embedded import database_files
from service.cache import Cache


def migrate() -> None:
    """Apply the migrations that are missing."""
    with one_line_errors():
        settings = load_settings()
        with open_installation(settings, may_be_new=True) as addresses:
            before, after = asyncio.run(db.migrate.migrate(addresses.database, on_progress=say_progress))
    say(f"up to date at {after}" if before == after else f"migrated from {before or 'nothing'} to {after}")


PROGRESS = {
    "visits_moved": "moved {:,} of about {:,} log lines into columns",
    "pages_renamed": "looked at {:,} of about {:,} pages and live visits, for URLs in other spellings",
}


def say_progress(event: str, rows: int, total: int) -> None:
    say(PROGRESS[event].format(rows, total))


def back_up(file: Path, *, overwrite: bool) -> None:
    """Write the database to a file, and say what else must be kept."""
    with one_line_errors():
        if file.exists() and not overwrite:
            fail(f"{file} is there; take another name, or overwrite it with --force")
        settings = load_settings()
        with open_installation(settings) as addresses:
            require_session(addresses.database)
            try:
                with interruption_message(f"interrupted; there is no new {file}"):
                    asyncio.run(write_backup(addresses.database, file))
            except database_files.ToolFailed as error:
                fail(str(error))
    say(f"{file}: {file.stat().st_size:,} bytes")
    if settings.secret is None:
        secret = settings.data_dir / "secret"
        say(f"keep {secret} too: it signs the tokens and encrypts the second factors", console=err)


async def write_backup(url: str, file: Path) -> None:
    """Write a backup; of a cluster, while columns of deleted parts are kept."""
    if not await is_database_spread(url):
        database_files.back_up(url, file)
        return
    database = Database.connect(url)
    try:
        async with dropped_parts_kept(database):
            await asyncio.to_thread(database_files.back_up, url, file)
    finally:
        await database.close()


def restore(file: Path) -> None:
    """Replace the database by a backup, and migrate it. Refused while a server runs."""
    with one_line_errors():
        settings = load_settings()
        if not file.is_file():
            fail(f"there is no {file}")
        try:
            database_files.check_backup(file)
        except database_files.ToolFailed as error:
            fail(f"nothing is changed: {error}")
        with open_installation(settings, may_be_new=True, exclusive=True) as addresses:
            require_session(addresses.database)
            was_spread = asyncio.run(is_database_spread(addresses.database))
            try:
                with interruption_message("interrupted; nothing is changed"):
                    database_files.restore(addresses.database, file)
            except database_files.ToolFailed as error:
                fail(f"nothing is changed: {error}")
            _, revision = asyncio.run(db.migrate.migrate(addresses.database, on_progress=say_progress))
            asyncio.run(repair_and_spread(addresses.database, is_to_spread=was_spread))
            if settings.redis_url is None:
                asyncio.run(flush_cache(addresses))
    say(f"restored {file}; the database is at {revision}")


async def is_database_spread(url: str) -> bool:
    """Return whether the database is spread over a cluster.

    :raises DatabaseUnusable: it can't be reached or refuses
    """
    database = Database.connect(url)
    try:
        async with database.raw() as raw:
            return await is_spread(raw)
    except DATABASE_ERRORS as error:
        raise DatabaseUnusable(describe_unusable(url, error)) from error
    finally:
        await database.close()


async def repair_and_spread(url: str, *, is_to_spread: bool) -> None:
    """Make the tables of columns fit what was restored, and distribute it if the old database was."""
    database = Database.connect(url)
    try:
        await repair_columns(database)
    finally:
        await database.close()
    if is_to_spread:
        await distribute_database(url, dry_run=False)


def require_session(url: str) -> None:
    """End the command if the database can only be reached by a pooler of transactions."""
    if is_transaction_pooled(url):
        fail("DATABASE_URL has pooler=transaction; backup and restore need PostgreSQL's own address there")


async def flush_cache(addresses: Addresses) -> None:
    """Empty the cache: its sessions and answers are those of the database before."""
    cache = Cache.connect(addresses.cache)
    try:
        await cache.run("FLUSHDB")
    finally:
        await cache.close()
