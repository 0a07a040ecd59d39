"""One run of an import: a chunk is stored with all that follows from it, its rejects and the position after
it, in one transaction, and only while the import's row still names this run.

Who imports a file holds its advisory lock, which PostgreSQL frees when the holder dies. A heartbeat in the
row tells the others that it lives; it also tells the run that it was cancelled.

What works with polars is imported where it is used, in the thread that parses: polars starts threads as it is
imported, and the server's workers are forked from a process that must have none.
"""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from clients.geo import Geo
from db.database import DATABASE_ERRORS, Database, Transaction
from db.models import Import
from db.queries import imports as queries
from service.errors import Conflict, TrawlError
from service.log_chunks import Chunk, Position
from service.log_rules import Rules
from service.log_source import LogSource, OpenLog

if TYPE_CHECKING:
    from service.log_columns import ParsedChunk

INTERRUPTED = "interrupted; the next import of this file goes on from there"
BROKEN_OFF = "interrupted; its whole lines are kept"
BEAT_SECONDS = 1.0
PASSING = (asyncio.CancelledError, *DATABASE_ERRORS)  # after which another process, or this one, goes on
Clock = Callable[[], datetime]
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


async def import_log(
    db: Database,
    geo: Geo,
    source: LogSource,
    reading: Reading,
    *,
    clock: Clock,
    on_progress: Progress,
    import_id: int | None = None,
    reopen: bool = False,
) -> Import:
    """Import what is new in a log; `on_progress` is told at the begin and after each chunk.

    `import_id` names an import whose process has died, or with `reopen` one that is done, to go on with.
    Raises Conflict `import_running` while somebody else imports the file, `import_ended` if that import can't
    be gone on with, OSError where the log can't be read. An import that fails, or is cancelled, keeps what it
    has stored.
    """
    with source.open() as log:
        async with db.hold() as lock:
            owner = await queries.new_owner(lock)
            if not await queries.try_lock(lock, lock_key(source.key, owner)):
                raise Conflict(f"{source.name} is being imported", code="import_running")
            run = Run(db, geo, source, reading, clock, lock, owner)
            if import_id is None:
                record = await begin_import(run, log.size)
            else:
                record = await take_over(run, import_id, "done" if reopen else "running", log.size)
            on_progress(record)
            try:
                async with heartbeat(run, record.id) as ended:
                    await store_log(run, record.id, log, ended, on_progress)
            except Lost:
                return await read_import(db, record.id)
            except BaseException as error:
                if not (reading.resumable and isinstance(error, PASSING)):
                    await asyncio.shield(end_import(run, record.id, "failed", error=cause_of(error, source)))
                raise
            return await end_import(run, record.id, "done")


def lock_key(file: str | None, owner: str | None) -> str:
    """What an import holds: its file, or itself where it has none."""
    return file if file is not None else f"stream {owner}"


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


@asynccontextmanager
async def heartbeat(run: Run, import_id: int) -> AsyncIterator[asyncio.Task[None]]:
    """Beats in the background. The task ends when the import is not this run's any more."""

    async def beat() -> None:
        own = True
        while own:
            await asyncio.sleep(BEAT_SECONDS)
            async with run.db.transaction() as session:
                own = await queries.beat(session, import_id, run.owner)

    task = asyncio.create_task(beat())
    try:
        yield task
    finally:
        task.cancel()
        # A beat that failed is none: who stores the next chunk finds out what is wrong.
        await asyncio.gather(task, return_exceptions=True)


def has_ended(beat: asyncio.Task[None]) -> bool:
    return beat.done() and not beat.cancelled() and beat.exception() is None


async def store_log(
    run: Run, import_id: int, log: OpenLog, ended: asyncio.Task[None], on_progress: Progress
) -> None:
    await resume(run, log)
    read = log.file.offset
    async for chunk, parsed in parse_ahead(run, log, ended):
        read = chunk.offset + len(chunk.data) if log.read is None else log.read()
        on_progress(await store_chunk(run, import_id, chunk, parsed, read))
    async with run.db.transaction() as session:
        if not await queries.note_bytes(session, import_id, run.owner, read):
            raise Lost


async def resume(run: Run, log: OpenLog) -> None:
    """Go to where the last import of the file left it; to its start if it was rewritten."""
    position = Position.start()
    if run.source.key is not None:
        async with run.db.read() as session:
            known = await queries.select_position(session, run.source.key)
        if known is not None:
            position = Position(known.offset, known.line, known.prefix_sha256)
    await asyncio.to_thread(log.file.go_to, position)


async def parse_ahead(
    run: Run, log: OpenLog, ended: asyncio.Task[None]
) -> AsyncIterator[tuple[Chunk, "ParsedChunk"]]:
    """Parses in a thread, one chunk ahead of the one that is being stored."""
    chunks = log.file.chunks()

    def parse_next() -> "tuple[Chunk, ParsedChunk] | None":
        from service.log_formats import parse_log_chunk  # noqa: PLC0415 - see above

        reading = run.reading
        for chunk in chunks:
            return chunk, parse_log_chunk(chunk, zone=reading.zone, rules=reading.rules, now=run.clock())
        return None

    ahead = asyncio.create_task(asyncio.to_thread(parse_next))
    try:
        while True:
            beating = [] if ended.done() else [ended]
            await asyncio.wait([ahead, *beating], return_when=asyncio.FIRST_COMPLETED)
            if has_ended(ended):
                raise Lost
            if not ahead.done():
                continue
            if (parsed := ahead.result()) is None:
                return
            ahead = asyncio.create_task(asyncio.to_thread(parse_next))
            yield parsed
    finally:
        # A thread can't be stopped, and must not be left reading from a file that is closed under it.
        log.stop()
        await asyncio.wait([ahead])
        if not ahead.cancelled():
            ahead.exception()  # which nobody asks for after this


async def store_chunk(run: Run, import_id: int, chunk: Chunk, parsed: "ParsedChunk", read: int) -> Import:
    from db.queries.visits import insert_trial_keys  # noqa: PLC0415 - see above
    from service.visit_rows import store_visits  # noqa: PLC0415 - see above

    async with run.db.transaction() as session:
        if run.reading.dry_run:
            new = await insert_trial_keys(run.lock, parsed.visits)
        else:
            new = await store_visits(session, parsed.visits, geo=run.geo, source="log", import_id=import_id)
            if run.source.key is not None:
                await queries.put_position(session, run.source.key, import_id, **asdict(chunk.end))
        await queries.insert_rejects(session, import_id, map(asdict, parsed.rejects))
        rejected = len(parsed.rejects)
        record = await queries.add_to_import(
            session,
            import_id,
            run.owner,
            counts=queries.Counts(new, parsed.lines - rejected - new, rejected),
            span=parsed.span if new and not run.reading.dry_run else None,
            read=read,
            log_format=parsed.log_format,
            at=run.clock(),
        )
        if record is None:
            raise Lost
        return record


async def end_import(run: Run, import_id: int, status: str, *, error: str | None = None) -> Import:
    async with run.db.transaction() as session:
        record = await queries.finish_import(
            session, import_id, run.owner, status, at=run.clock(), error=error
        )
    return record or await read_import(run.db, import_id)


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
