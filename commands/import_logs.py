"""What `main.py import` does: imports with progress bars, and following a log until it is told to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from clients.geo import Geo
from commands.terminal import err, out
from db.database import Database
from db.models import Import
from service.clock import now
from service.errors import Conflict, TrawlError
from service.imports.follow import Following, follow_log
from service.imports.jobs import list_rejects
from service.imports.record import Reading, cause_of
from service.imports.run import import_log
from service.logs.source import LogSource
from service.logs.streams import PipedLog

SHOWN_REJECTS = 10
RETRY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class ImportCommand:
    """What was asked for: files (`-` is standard input), and perhaps a log to follow after them."""

    files: list[str]
    follow: Path | None
    reading: Reading
    mmdb: Path | None


async def run_import(db: Database, command: ImportCommand) -> int:
    """Import one log after the other, also after one that can't be. The exit code: 1 if one could not be.

    SIGINT and SIGTERM end it between two chunks, which is how following is ended.
    """
    task = asyncio.current_task()
    assert task is not None
    signals: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        signals.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    geo = Geo.open(command.mmdb)
    following = False
    try:
        done = [await import_file(db, geo, command.reading, name) for name in command.files]
        if command.follow is not None:
            following = True
            await follow_file(db, geo, command.reading, command.follow)
    except asyncio.CancelledError:
        if not signals:
            raise
        return 0 if following else 128 + signals[0]
    return 0 if all(done) else 1


async def import_file(db: Database, geo: Geo, reading: Reading, name: str) -> bool:
    """Import one log. Whether it could be done."""
    if name == "-":
        source = LogSource.of_stream("-", PipedLog(sys.stdin.fileno()), size=size_of_stdin())
    else:
        source = LogSource.of_file(Path(name), take_last=True)
    with import_progress(source.name) as on_progress:
        try:
            record = await import_alone(db, geo, source, reading, on_progress)
        except (OSError, EOFError, TrawlError) as error:
            err.print(f"trawl: {name}: {cause_of(error)}", style="red", markup=False, highlight=False)
            return False
    await tell(db, record)
    return record.status == "done"


async def import_alone(
    db: Database, geo: Geo, source: LogSource, reading: Reading, on_progress: Callable[[Import], None]
) -> Import:
    """Import a log, after whoever imports it already, a server perhaps."""
    waited = False
    while True:
        try:
            return await import_log(db, geo, source, reading, clock=now, on_progress=on_progress)
        except Conflict as conflict:
            if not waited:
                err.print(f"trawl: {conflict.detail}; waiting for its end", markup=False, highlight=False)
            waited = True
        await asyncio.sleep(RETRY_SECONDS)


async def tell(db: Database, record: Import) -> None:
    """Print what an import has brought, and its first rejects."""
    rejects = await list_rejects(db, record.id, after=None, limit=SHOWN_REJECTS, offset=0)
    for reject in rejects[:SHOWN_REJECTS]:
        err.print(f"{record.name}:{reject.line}: {reject.reason}", markup=False, highlight=False)
    more = f"; all of them: GET /imports/{record.id}/rejects" if len(rejects) > SHOWN_REJECTS else ""
    how = {"done": " (dry run)" if record.dry_run else ""}.get(record.status, f" ({record.status})")
    out.print(
        f"{record.name}: {record.lines:,} lines: {record.imported:,} imported, "
        f"{record.duplicates:,} duplicates, {record.rejected:,} rejected "
        f"({record.lines_per_second:,} lines/s){how}{more}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


async def follow_file(db: Database, geo: Geo, reading: Reading, path: Path) -> None:
    with import_progress(path.name, total=False) as on_progress:
        await follow_log(Following(db, geo, reading, now, on_progress), path)


def size_of_stdin() -> int | None:
    """None for a pipe, whose end nobody knows."""
    return os.fstat(sys.stdin.fileno()).st_size or None


@contextmanager
def import_progress(name: str, *, total: bool = True) -> Iterator[Callable[[Import], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[speed]:,} lines/s, {task.fields[rejected]:,} rejected"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task(name, total=None, speed=0, rejected=0)

        def show(record: Import) -> None:
            progress.update(
                task,
                total=record.bytes_total if total else None,
                completed=record.bytes,
                speed=record.lines_per_second,
                rejected=record.rejected,
            )

        yield show
