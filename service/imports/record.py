"""The row of an import: created, resumed, finished; and what a run of the import works with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import structlog

from clients.geo import Geo
from clock import Clock
from db.database import Database, Transaction
from db.locks import import_key, try_lock
from db.models import FilePosition, Import
from db.queries import imports as queries
from db.queries import positions
from db.queries.rejects import delete_rejects
from service.errors import Conflict
from service.imports.outcome import INTERRUPTED, REPLACED, LogReplaced, Mode
from service.logs.chunks import Position
from service.logs.first_line import NO_FIRST_LINE
from service.logs.format_options import FormatOptions
from service.logs.source import LogSource, OpenLog
from service.logs.url_rules import Rules

log = structlog.get_logger("trawl.imports")

Progress = Callable[[Import], Any]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a log is imported.

    :param zone: of times that name none
    :param mode: how the import ends
    :param dry_run: parse, count and keep the rejects, and change nothing else
    :param rules: classify the URLs of logs in a standard format
    :param address_mask: how many last bytes of addresses are stored as 0
    :param log_format: of the log: a name, or a log_format of nginx; None detects it
    """

    zone: tzinfo
    mode: Mode = "import"
    dry_run: bool = False
    rules: Rules | None = None
    address_mask: int = 0
    log_format: str | None = None

    @property
    def formats(self) -> FormatOptions:
        return FormatOptions(self.zone, self.rules, self.log_format)


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One run of an import. `lock_session` is the transaction that holds the lock of the file.

    `first_line` is the digest of the file's first line that fits, which with its path tells it from others.
    The row of the import is leased to this run while it has the run's `lease_token`.
    """

    db: Database
    geo: Geo
    source: LogSource
    options: ImportOptions
    clock: Clock
    on_progress: Progress
    lock_session: Transaction
    lease_token: str
    first_line: bytes = NO_FIRST_LINE


async def create_import(run: ImportRun, size: int | None) -> Import:
    """Insert the row of a new import, after imports of the file whose process has died are marked failed."""
    file, position = run.source.key, None
    location = run.source.location or ""
    async with run.db.transaction() as session:
        if file is not None:
            await queries.fail_running_imports(
                session, file, run.first_line, location, at=run.clock(), error=INTERRUPTED
            )
            await positions.delete_old_positions(session, file, at=run.clock())
            position = await positions.select_position(session, file, run.first_line, location)
        prior = position and {
            "prior_offset": position.offset,
            "prior_line": position.line,
            "prior_sha256": position.prefix_sha256,
            "prior_import_id": position.import_id,
            "prior_format": position.format,
        }
        return await queries.insert_import(
            session,
            name=run.source.name,
            file=file,
            first_line_sha256=None if file is None else run.first_line,
            location=run.source.location,
            dry_run=run.options.dry_run,
            resumable=run.options.mode == "resume",
            declared_format=run.options.log_format,
            owner=run.lease_token,
            bytes_total=size,
            started_at=run.clock(),
            updated_at=run.clock(),
            **(prior or {}),
        )


async def resume_import(run: ImportRun, import_id: int, prior_status: str, log: OpenLog) -> Import:
    """Lease an import to this run. A dry run, which has no position, begins anew.

    :raises Conflict: `import_ended` if the import does not have that status, `import_running` if another run
        holds the lock of its location
    :raises LogReplaced: the import has read another file
    """
    async with run.db.read() as session:
        prior = await queries.select_import(session, import_id)
    if prior is not None and prior.first_line_sha256 not in (None, run.first_line):
        raise LogReplaced(REPLACED)
    position = None if prior is None else await find_prior_position(run, prior, log)
    async with run.db.transaction() as session:
        record = await queries.acquire_lease(
            session,
            import_id,
            run.lease_token,
            prior_status=prior_status,
            bytes_total=log.size,
            location=run.source.location,
        )
        if record is None:
            raise Conflict(f"import {import_id} has ended", code="import_ended")
        if position is not None:
            await positions.move_position(session, position, run.source.location or "")
        if record.dry_run:
            await delete_rejects(session, import_id)
            return await queries.reset_counts(session, import_id)
        return record


async def find_prior_position(run: ImportRun, prior: Import, log: OpenLog) -> FilePosition | None:
    """Return where an import stopped that has read its file at another location; None of any other.

    :raises Conflict: `import_running` if another run holds the lock of that location
    :raises LogReplaced: what it has read does not stand here
    """
    if prior.location in (None, run.source.location):
        return None
    file, first_line, location = prior.file or "", run.first_line, prior.location or ""
    if not await try_lock(run.lock_session, import_key(file, first_line, location)):
        raise Conflict(f"{run.source.name} is being imported", code="import_running")
    if prior.dry_run or not prior.lines:
        return None
    async with run.db.read() as session:
        position = await positions.select_position(session, file, first_line, location)
    if position is None or position.location != location:
        raise LogReplaced(REPLACED)
    read = Position(position.offset, position.line, position.prefix_sha256)
    if not await asyncio.to_thread(log.file.seek, read):
        raise LogReplaced(REPLACED)
    return position


async def finish_import(run: ImportRun, import_id: int, status: str, *, error: str | None = None) -> Import:
    """End an import, unless its lease is lost. Return its row either way."""
    async with run.db.transaction() as session:
        record = await queries.finish_import(
            session, import_id, run.lease_token, status, at=run.clock(), error=error
        )
    record = record or await reload_import(run.db, import_id)
    log_end(record)
    return record


def log_end(record: Import) -> None:
    """Log how an import ended: a line for each, whatever its status."""
    duration = (record.finished_at or record.started_at) - record.started_at
    problem = {} if record.error is None else {"error": record.error}
    log.info(
        "import",
        kind="import",
        status=record.status,
        duration_ms=round(duration.total_seconds() * 1000, 2),
        id=record.id,
        lines=record.lines,
        rejected=record.rejected,
        **problem,
    )


async def reload_import(db: Database, import_id: int) -> Import:
    """Return the row of an import that is known to exist: rows of imports are never deleted."""
    async with db.read() as session:
        record = await queries.select_import(session, import_id)
    assert record is not None
    return record
