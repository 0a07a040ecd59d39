"""The row of an import: begun, taken over, ended; and what a run of it needs to know."""

import asyncio
import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import structlog

from clients.geo import Geo
from db.database import DATABASE_ERRORS, Database, Transaction
from db.models import Import
from db.queries import imports as queries
from service.clock import Clock
from service.errors import Conflict, TrawlError
from service.logs.source import LogSource
from service.logs.url_rules import Rules

log = structlog.get_logger("trawl.imports")

INTERRUPTED = "interrupted; the next import of this file goes on from there"
BROKEN_OFF = "interrupted; its whole lines are kept"
PASSING = (asyncio.CancelledError, *DATABASE_ERRORS)  # after which another process, or this one, goes on
Progress = Callable[[Import], Any]


class Lost(Exception):
    """The import is not this run's any more: it was cancelled, or taken over."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a log is read: the zone of times that name none, and the rules for URLs of standard formats.

    A dry run parses, counts and keeps the rejects, and changes nothing else. What is `resumable` servers go
    on with when its process ends.
    """

    zone: tzinfo
    dry_run: bool = False
    resumable: bool = False
    rules: Rules | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One import under way. `lock` is the transaction that holds the file."""

    db: Database
    geo: Geo
    source: LogSource
    reading: Reading
    clock: Clock
    lock: Transaction
    owner: str


async def begin_import(run: Run, size: int | None) -> Import:
    file, dry_run, prior = run.source.key, run.reading.dry_run, None
    async with run.db.transaction() as session:
        if file is not None:
            await queries.fail_running_imports(session, file, at=run.clock(), error=INTERRUPTED)
            prior = await queries.select_position(session, file)
        before = prior and {
            "prior_offset": prior.offset,
            "prior_line": prior.line,
            "prior_sha256": prior.prefix_sha256,
            "prior_import_id": prior.import_id,
        }
        return await queries.insert_import(
            session,
            name=run.source.name,
            file=file,
            dry_run=dry_run,
            resumable=run.reading.resumable,
            owner=run.owner,
            bytes_total=size,
            started_at=run.clock(),
            updated_at=run.clock(),
            **(before or {}),
        )


async def take_over(run: Run, import_id: int, status: str, size: int | None) -> Import:
    """Go on with an import of that status. A dry run, which has no position, begins anew."""
    async with run.db.transaction() as session:
        record = await queries.own_import(session, import_id, run.owner, status=status, bytes_total=size)
        if record is None:
            raise Conflict(f"import {import_id} has ended", code="import_ended")
        return await queries.restart_import(session, import_id) if record.dry_run else record


async def end_import(run: Run, import_id: int, status: str, *, error: str | None = None) -> Import:
    async with run.db.transaction() as session:
        record = await queries.finish_import(
            session, import_id, run.owner, status, at=run.clock(), error=error
        )
    record = record or await read_import(run.db, import_id)
    log_end(record)
    return record


def log_end(record: Import) -> None:
    took = (record.finished_at or record.started_at) - record.started_at
    log.info(
        "import",
        kind="import",
        status=record.status,
        duration_ms=round(took.total_seconds() * 1000, 2),
        id=record.id,
        lines=record.lines,
        rejected=record.rejected,
    )


async def read_import(db: Database, import_id: int) -> Import:
    async with db.read() as session:
        record = await queries.select_import(session, import_id)
    assert record is not None  # rows of imports are never deleted
    return record


def cause_of(error: BaseException, source: LogSource | None = None) -> str:
    """What the import's row tells of a failure: enough to act on, and nothing of the machine's insides."""
    interrupted = INTERRUPTED if source is None or source.key is not None else BROKEN_OFF
    match error:
        case asyncio.CancelledError() | KeyboardInterrupt():
            return interrupted
        case TrawlError():
            return error.detail
        case EOFError() | zlib.error() | gzip.BadGzipFile():
            return "the gzip data is broken or cut off"
        case OSError(strerror=str(reason)):
            return f"the log can't be read: {reason}"
        case _:
            return f"an unexpected error, which the server's log tells; {interrupted}"
