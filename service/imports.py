"""Imports of access logs: every line once, whatever crashes.

A chunk is stored with all that follows from it, its rejects and the position after it, in one transaction.
Who imports a file holds its lock, which PostgreSQL frees when the holder dies: a row that still runs then is
told as failed by the next one, who goes on from the position.

What works with polars is imported where it is used, in the thread that parses: polars starts threads as it is
imported, and the server's workers are forked from a process that must have none.
"""

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from clients.geo import Geo
from db.database import Database, Transaction
from db.models import Import, Reject
from db.queries import imports as queries
from service.background import Background
from service.errors import Conflict, NotFound
from service.log_chunks import Chunk, LogFile, Position
from service.log_source import LogFolder, LogSource, OpenLog
from service.metrics import count_taken

if TYPE_CHECKING:
    from service.log_columns import ParsedChunk

log = structlog.get_logger("trawl.imports")

INTERRUPTED = "interrupted; the next import of this file goes on from there"
POLL_SECONDS = 0.02
Clock = Callable[[], datetime]
Progress = Callable[[Import], Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a log is read: the zone of its times, and whether a last line without its newline is taken.

    A dry run parses, counts and keeps the rejects, and changes nothing else.
    """

    zone: tzinfo
    take_last: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One import under way. `lock` is the transaction that holds the file."""

    db: Database
    geo: Geo
    source: LogSource
    reading: Reading
    clock: Clock
    lock: Transaction


async def import_log(
    db: Database, geo: Geo, source: LogSource, reading: Reading, *, clock: Clock, on_progress: Progress
) -> Import:
    """Import what is new in a log; `on_progress` is told at the begin and after each chunk.

    Raises Conflict `import_running` while somebody else imports the file, OSError where it can't be read. An
    import that fails, or is cancelled, keeps the chunks that it has stored.
    """
    with source.open() as log:
        async with db.hold() as lock:
            if source.key is not None and not await queries.try_lock_file(lock, source.key):
                raise Conflict(f"{source.name} is being imported", code="import_running")
            run = Run(db, geo, source, reading, clock, lock)
            file = await resume(run, log)
            record = await begin_import(run, log.size, file.offset)
            on_progress(record)
            try:
                async for chunk, parsed in parse_ahead(run, file):
                    read = log.raw.tell() if source.compressed else chunk.offset + len(chunk.data)
                    on_progress(await store_chunk(run, record.id, chunk, parsed, read))
            except BaseException as error:
                await asyncio.shield(end_import(run, record.id, "failed", error=cause_of(error)))
                raise
            return await end_import(run, record.id, "done")


async def begin_import(run: Run, size: int | None, offset: int) -> Import:
    async with run.db.transaction() as session:
        if run.source.key is not None:
            await queries.fail_running_imports(session, run.source.key, at=run.clock(), error=INTERRUPTED)
        return await queries.insert_import(
            session,
            name=run.source.name,
            file=run.source.key,
            dry_run=run.reading.dry_run,
            bytes=offset,
            bytes_total=size,
            started_at=run.clock(),
        )


async def resume(run: Run, log: OpenLog) -> LogFile:
    """The log, from where its last import left it; from its start if it was rewritten or can't be sought."""
    file = LogFile(log.lines, take_last=run.reading.take_last)
    if run.source.resumable:
        async with run.db.read() as session:
            known = await queries.select_position(session, str(run.source.key))
        if known is not None:
            await asyncio.to_thread(file.resume, Position(known.offset, known.line, known.prefix_sha256))
    return file


async def parse_ahead(run: Run, file: LogFile) -> AsyncIterator[tuple[Chunk, "ParsedChunk"]]:
    """Parses in a thread, one chunk ahead of the one that is being stored."""
    chunks = file.chunks()

    def parse_next() -> "tuple[Chunk, ParsedChunk] | None":
        from service.log_columns import parse_chunk  # noqa: PLC0415 - see above

        for chunk in chunks:
            return chunk, parse_chunk(chunk, zone=run.reading.zone, now=run.clock())
        return None

    ahead = asyncio.create_task(asyncio.to_thread(parse_next))
    try:
        while parsed := await asyncio.shield(ahead):
            ahead = asyncio.create_task(asyncio.to_thread(parse_next))
            yield parsed
    finally:
        # A thread can't be stopped, and must not be left reading from a file that is closed under it.
        await asyncio.wait([ahead])


async def store_chunk(run: Run, import_id: int, chunk: Chunk, parsed: "ParsedChunk", read: int) -> Import:
    from db.queries.visits import insert_trial_keys  # noqa: PLC0415 - see above
    from service.visit_rows import store_visits  # noqa: PLC0415 - see above

    async with run.db.transaction() as session:
        if run.reading.dry_run:
            new = await insert_trial_keys(run.lock, parsed.visits)
        else:
            new = await store_visits(session, parsed.visits, geo=run.geo, source="log", import_id=import_id)
            if run.source.resumable:
                await queries.put_position(session, str(run.source.key), **asdict(chunk.end))
        await queries.insert_rejects(session, import_id, map(asdict, parsed.rejects))
        record = await queries.add_to_import(
            session,
            import_id,
            read=read,
            imported=new,
            duplicates=parsed.lines - len(parsed.rejects) - new,
            rejected=len(parsed.rejects),
            at=run.clock(),
        )
    count_taken("lines", parsed.lines)
    if not run.reading.dry_run:
        count_taken("visits", new)
    return record


async def end_import(run: Run, import_id: int, status: str, *, error: str | None = None) -> Import:
    async with run.db.transaction() as session:
        record = await queries.finish_import(session, import_id, status, at=run.clock(), error=error)
    took = record.finished_at - record.started_at if record.finished_at else timedelta()
    log.info(
        "import",
        kind="import",
        status=status,
        duration_ms=round(took.total_seconds() * 1000, 2),
        id=import_id,
        lines=record.lines,
        rejected=record.rejected,
    )
    return record


def cause_of(error: BaseException) -> str:
    """What the import's row tells of a failure: enough to act on, and nothing of the machine's insides."""
    match error:
        case asyncio.CancelledError() | KeyboardInterrupt():
            return INTERRUPTED
        case EOFError() | zlib.error() | gzip.BadGzipFile():
            return "the gzip data is broken or cut off"
        case OSError(strerror=str(reason)):
            return f"the log can't be read: {reason}"
        case _:
            return "an unexpected error, which the server's log tells; " + INTERRUPTED


async def parse_log(
    db: Database,
    geo: Geo,
    logs: LogFolder,
    background: Background,
    *,
    file: str | None,
    dry_run: bool,
    wait: float,
    clock: Clock,
) -> Import:
    """Import a log of the log folder, or join the import of it that runs already.

    Answers with its row when it has ended, or after `wait` seconds. Raises NotFound `no_such_log`.
    """
    until = time.monotonic() + wait
    source = logs.find(file)
    import_id = await start_import(
        db, geo, source, Reading(logs.zone, dry_run=dry_run), background, clock=clock
    )
    while True:
        record = await get_import(db, import_id)
        if record.status != "running" or time.monotonic() >= until:
            return record
        await asyncio.sleep(POLL_SECONDS)


async def start_import(
    db: Database, geo: Geo, source: LogSource, reading: Reading, background: Background, *, clock: Clock
) -> int:
    """The id of an import that begins in the background, or of the one of the same file that runs already."""
    while True:
        begun: asyncio.Future[Import] = asyncio.get_running_loop().create_future()
        work = import_log(db, geo, source, reading, clock=clock, on_progress=partial(set_once, begun))
        task = background.spawn(work, name=f"import of {source.name}")
        await asyncio.wait([task, begun], return_when=asyncio.FIRST_COMPLETED)
        if begun.done():
            return begun.result().id
        begun.cancel()
        match task.exception():
            case Conflict() if source.key is not None:
                async with db.transaction() as session:
                    running = await queries.select_running_import(session, source.key)
                if running is not None:
                    return running.id
                await asyncio.sleep(POLL_SECONDS)
            case None:
                raise RuntimeError("an import ended before it began")
            case error:
                raise error


def set_once(future: asyncio.Future[Import], record: Import) -> None:
    if not future.done():
        future.set_result(record)


async def get_import(db: Database, import_id: int) -> Import:
    async with db.read() as session:
        record = await queries.select_import(session, import_id)
    if record is None:
        raise NotFound(f"no import {import_id}")
    return record


async def list_imports(db: Database, *, after: tuple[int] | None, limit: int, offset: int) -> list[Import]:
    """Newest first, from the id `after` on; one more than `limit`, which tells that there are more."""
    async with db.read() as session:
        return await queries.select_imports(session, after=after, limit=limit + 1, offset=offset)


async def list_rejects(
    db: Database, import_id: int, *, after: tuple[int] | None, limit: int, offset: int
) -> list[Reject]:
    """In the order of the lines, from line `after` on; one more than `limit`. Raises NotFound."""
    async with db.transaction() as session:
        if await queries.select_import(session, import_id) is None:
            raise NotFound(f"no import {import_id}")
        return await queries.select_rejects(session, import_id, after=after, limit=limit + 1, offset=offset)
