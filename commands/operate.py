"""The commands of an operator: openapi, doctor, backup, restore."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from bootstrap import VERSION, Addresses, running
from commands import doctor as examination
from commands.terminal import err, fail, out, settings_and_logs, told_in_one_line
from config import Settings
from db.migrate import migrate
from embedded import EmbeddedError, database_files
from service.cache import Cache
from transport.app import all_routes

BackupFile = Annotated[Path, typer.Argument(help="The backup's file.", metavar="FILE")]


def openapi() -> None:
    """Print the OpenAPI document."""
    from transport.openapi.document import make_document

    document = make_document(all_routes(), version=VERSION)
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def doctor() -> None:
    """Check configuration, database, cache, migrations, disk and clock, and say what to do."""
    with told_in_one_line():
        settings = settings_and_logs()
        findings = [*examination.examine_machine(settings), *examine_servers(settings)]
    for finding in findings:
        mark = "ok  " if finding.good else "BAD "
        out.print(f"{mark}{finding.part}: {finding.told}", markup=False, highlight=False, soft_wrap=True)
        if not finding.good:
            out.print(f"    {finding.advice}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if all(finding.good for finding in findings) else 1)


def examine_servers(settings: Settings) -> list[examination.Finding]:
    try:
        with running(settings) as (addresses, _):
            return asyncio.run(examination.examine_servers(addresses))
    except EmbeddedError as error:
        return [examination.embedded_failure(error)]


def backup(file: BackupFile) -> None:
    """Write all of the database to a file, also beside a running server."""
    with told_in_one_line():
        settings = settings_and_logs()
        with running(settings) as (addresses, _):
            try:
                database_files.back_up(addresses.database, file)
            except database_files.ToolFailed as error:
                fail(str(error))
    out.print(f"{file}: {file.stat().st_size:,} bytes", markup=False, highlight=False, soft_wrap=True)
    if settings.secret is None:
        secret = settings.data_dir / "secret"
        err.print(f"keep {secret} too: it signs the tokens", markup=False, highlight=False, soft_wrap=True)


def restore(file: BackupFile) -> None:
    """Put a backup in the place of all that is in the database. The server must be stopped."""
    with told_in_one_line():
        settings = settings_and_logs()
        if not file.is_file():
            fail(f"there is no {file}")
        with running(settings, exclusive=True) as (addresses, _):
            try:
                database_files.restore(addresses.database, file)
            except database_files.ToolFailed as error:
                fail(f"nothing is changed: {error}")
            _, revision = asyncio.run(migrate(addresses.database))
            if settings.redis_url is None:
                asyncio.run(forget_copies(addresses))
    out.print(
        f"restored {file}; the database is at {revision}", markup=False, highlight=False, soft_wrap=True
    )


async def forget_copies(addresses: Addresses) -> None:
    """Sessions and answers that the cache remembers are those of the database before."""
    cache = Cache.connect(addresses.cache)
    try:
        await cache.run("FLUSHDB")
    finally:
        await cache.close()
