"""`main.py migrate`, `backup` and `restore`."""

import asyncio
from pathlib import Path

import db.migrate
from bootstrap import Addresses, backing_services
from commands.terminal import err, fail, load_settings, one_line_errors, say
from db.dsn import is_transaction_pooled
from embedded import database_files
from service.cache import Cache


def migrate() -> None:
    """Apply the migrations that are missing."""
    with one_line_errors():
        settings = load_settings()
        with backing_services(settings) as (addresses, _):
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
        with backing_services(settings) as (addresses, _):
            require_session(addresses.database)
            try:
                database_files.back_up(addresses.database, file)
            except database_files.ToolFailed as error:
                fail(str(error))
    say(f"{file}: {file.stat().st_size:,} bytes")
    if settings.secret is None:
        secret = settings.data_dir / "secret"
        say(f"keep {secret} too: it signs the tokens and encrypts the second factors", console=err)


def restore(file: Path) -> None:
    """Replace the database by a backup, and migrate it. Refused while a server runs."""
    with one_line_errors():
        settings = load_settings()
        if not file.is_file():
            fail(f"there is no {file}")
        with backing_services(settings, exclusive=True) as (addresses, _):
            require_session(addresses.database)
            try:
                database_files.restore(addresses.database, file)
            except database_files.ToolFailed as error:
                fail(f"nothing is changed: {error}")
            _, revision = asyncio.run(db.migrate.migrate(addresses.database, on_progress=say_progress))
            if settings.redis_url is None:
                asyncio.run(flush_cache(addresses))
    say(f"restored {file}; the database is at {revision}")


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
