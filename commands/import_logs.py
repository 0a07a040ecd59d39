"""`main.py import`: imports logs with a progress bar, or follows them until a signal ends it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from api.imports import ImportResponse
from bootstrap import read_rules_setting, run_with_database
from calendar_days import time_zone
from clients.geo import Geo
from clock import now
from commands.followed import FAILED, MOSTLY_REJECTED, Followed, worst_code
from commands.installation import open_installation
from commands.terminal import err, load_settings, one_line_errors, say, say_above_bar
from config import Settings
from db.database import Database
from db.models import Import
from server.memory import share_heap
from service.errors import Conflict, Invalid
from service.imports.follow import LogFollower
from service.imports.jobs import check_format, is_mostly_rejected, list_rejects
from service.imports.outcome import describe_failure
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.logs.pieces import READ_ERRORS
from service.logs.source import LogSource
from service.logs.streams import PipedLog
from service.logs.url_rules import read_rules
from telemetry import multiprocess
from telemetry.metrics_folder import candidates, find_folder
from telemetry.printable import printable

SHOWN_REJECTS = 10
RETRY_SECONDS = 0.2
FOLLOWED_MAX = 100


@dataclass(frozen=True, slots=True)
class ImportCommand:
    """The arguments: files (`-` is standard input), and whether to follow them."""

    files: list[str]
    follow: bool
    options: ImportOptions
    mmdb: Path | None
    as_json: bool


def import_logs(
    files: list[str],
    *,
    follow: bool,
    dry_run: bool,
    rules: Path | None,
    log_format: str | None,
    as_json: bool,
) -> None:
    """Import each file, or follow them.

    Exit code 1 if a file could not be imported, else 3 if more than half of a file's lines were rejected.
    """
    share_heap()
    with one_line_errors():
        check_arguments(files, follow=follow, dry_run=dry_run, log_format=log_format)
        settings = load_settings()
        options = import_options(settings, dry_run=dry_run, rules=rules, log_format=log_format)
        command = ImportCommand(files, follow, options, settings.geoip_path, as_json)
        with (
            open_installation(settings, may_be_new=True) as addresses,
            multiprocess.count_into(find_folder(candidates(settings.data_dir))),
        ):
            code = asyncio.run(run_with_database(addresses, lambda db: run_import(db, command)))
    raise typer.Exit(code)


def check_arguments(files: list[str], *, follow: bool, dry_run: bool, log_format: str | None) -> None:
    """:raises BadParameter: the arguments do not go together, or the format is none"""
    if not files:
        raise typer.BadParameter("name the logs to import, or to --follow")
    try:
        check_format(log_format)
    except Invalid as error:
        raise typer.BadParameter(f"--format: {error}") from None
    if not follow:
        return
    if dry_run:
        raise typer.BadParameter("--dry-run and --follow do not go together")
    if "-" in files:
        raise typer.BadParameter("standard input is read to its end anyway: leave --follow out")
    if len(files) > FOLLOWED_MAX:
        raise typer.BadParameter(f"--follow takes {FOLLOWED_MAX} files at most")


def import_options(
    settings: Settings, *, dry_run: bool, rules: Path | None, log_format: str | None
) -> ImportOptions:
    return ImportOptions(
        time_zone(settings.logs_timezone),
        dry_run=dry_run,
        rules=read_rules(rules) if rules else read_rules_setting(settings.logs_rules),
        address_mask=settings.address_mask,
        log_format=log_format or settings.logs_format,
    )


async def run_import(db: Database, command: ImportCommand) -> int:
    """Import one file after the other, also after one that fails. Return the exit code: that of the worst.

    SIGINT and SIGTERM end it between two chunks, which is the orderly end of following.
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
    followed = Followed(as_json=command.as_json)
    try:
        if command.follow:
            await follow_files(db, geo, command, followed)
        codes = [await import_file(db, geo, command, name) for name in command.files]
    except asyncio.CancelledError:
        if not signals:
            raise
        return followed.print_summary() if command.follow else 128 + signals[0]
    return worst_code(codes)


async def import_file(db: Database, geo: Geo, command: ImportCommand, name: str) -> int:
    """Import one file and print a summary. Return its exit code."""
    if name == "-":
        source = LogSource.of_stream("-", PipedLog(sys.stdin.fileno()), size=stdin_size())
    else:
        source = LogSource.of_file(Path(name), accept_partial_line=True)
    try:  # outside of the progress bar, which would stay below an error
        with import_progress(source.name) as on_progress:
            record = await import_when_free(db, geo, source, command.options, on_progress)
    except READ_ERRORS as error:
        say(f"trawl: {name}: {describe_failure(error)}", console=err, style="red")
        if command.as_json:
            say(json.dumps({"name": name, "status": "failed", "error": describe_failure(error)}))
        return FAILED
    await print_rejects(db, record)
    say(json.dumps(ImportResponse().dump(record)) if command.as_json else summary(record))
    if record.status != "done":
        return FAILED
    return MOSTLY_REJECTED if await is_mostly_rejected(db, record) else 0


async def import_when_free(
    db: Database, geo: Geo, source: LogSource, options: ImportOptions, on_progress: Callable[[Import], None]
) -> Import:
    """Import a log as soon as nobody else, such as a server, imports it."""
    waiting = False
    while True:
        try:
            return await import_log(db, geo, source, options, clock=now, on_progress=on_progress)
        except Conflict as conflict:
            if not waiting:
                say_above_bar(f"trawl: {conflict.detail}; waiting for its end")
            waiting = True
        await asyncio.sleep(RETRY_SECONDS)


async def print_rejects(db: Database, record: Import) -> None:
    """Print the first rejects of an import, and where all of them are."""
    rejects = await list_rejects(db, record.id, with_text=True, after=None, limit=SHOWN_REJECTS, offset=0)
    for reject in rejects[:SHOWN_REJECTS]:
        say(f"{record.name}:{reject.line}: {reject.reason}", console=err)
    if len(rejects) > SHOWN_REJECTS:
        more = record.rejected - SHOWN_REJECTS
        say(f"{record.name}: {more:,} more rejects: GET /imports/{record.id}/rejects", console=err)


def summary(record: Import) -> str:
    """Return the counts of an import in one line."""
    ending = {"done": " (dry run)" if record.dry_run else ""}.get(record.status, f" ({record.status})")
    if record.lines == 0 and record.status == "done":
        return f"{record.name}: nothing new{ending}"
    return (
        f"{record.name}: {record.lines:,} lines: {record.imported:,} imported, "
        f"{record.duplicates:,} duplicates, {record.rejected:,} rejected "
        f"({record.lines_per_second:,} lines/s){ending}"
    )


async def follow_files(db: Database, geo: Geo, command: ImportCommand, followed: Followed) -> None:
    """Follow the files until cancelled."""
    follower = LogFollower(db, geo, replace(command.options, mode="follow"), now, followed)
    await follower.follow(*(Path(name) for name in dict.fromkeys(command.files)))


def stdin_size() -> int | None:
    """Return the bytes of standard input; None for a pipe, whose length is unknown."""
    return os.fstat(sys.stdin.fileno()).st_size or None


@contextmanager
def import_progress(name: str) -> Iterator[Callable[[Import], None]]:
    """Show a progress bar if standard error is a terminal. Yield the function that updates it."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[speed]:,} lines/s, {task.fields[rejected]:,} rejected"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task(printable(name), total=None, speed=0, rejected=0)

        def show(record: Import) -> None:
            progress.update(
                task,
                total=record.bytes_total,
                completed=record.bytes,
                speed=record.lines_per_second,
                rejected=record.rejected,
            )

        yield show
