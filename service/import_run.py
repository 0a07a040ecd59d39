"""One run of an import: a chunk is stored with all that follows from it, its rejects and the position after
it, in one transaction, and only while the import's row still names this run.

Who imports a file holds its advisory lock, which PostgreSQL frees when the holder dies. A heartbeat in the
row tells the others that it lives; it also tells the run that it was cancelled.

What works with polars is imported where it is used, in the thread that parses: polars starts threads as it is
imported, and the server's workers are forked from a process that must have none.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from clients.geo import Geo
from db.database import Database
from db.models import Import
from db.queries import imports as queries
from service.errors import Conflict
from service.import_record import (
    PASSING,
    Clock,
    Lost,
    Progress,
    Reading,
    Run,
    begin_import,
    cause_of,
    end_import,
    lock_key,
    read_import,
    take_over,
)
from service.log_chunks import Chunk, Position
from service.log_source import LogSource, OpenLog
from service.metrics import count_taken

if TYPE_CHECKING:
    from service.log_columns import ParsedChunk

BEAT_SECONDS = 1.0


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
                return await end_import(run, record.id, "done")
            except Lost:
                return await read_import(db, record.id)
            except BaseException as error:
                if not (reading.resumable and isinstance(error, PASSING)):
                    # Following a log has no end but being told to stop.
                    done = reopen and isinstance(error, asyncio.CancelledError)
                    told = {} if done else {"error": cause_of(error, source)}
                    await asyncio.shield(end_import(run, record.id, "done" if done else "failed", **told))
                raise


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
        from service.log_formats import parse_log_chunk

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
    from db.queries.visits import insert_trial_keys
    from service.visit_rows import store_visits

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
    count_taken("lines", parsed.lines)
    if not run.reading.dry_run:
        count_taken("visits", new)
    return record
