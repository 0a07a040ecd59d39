"""The way of a log into the database, three chunks under way at once: one is parsed, one copied into `visit`,
and of the one before it all is derived that follows from its visits.

A chunk is stored with all that follows from it, its rejects and the position after it, in one transaction. It
commits after the one before it, and only while the import's row still names this run.

What works with polars is imported where it is used, in the thread that parses: polars starts threads as it is
imported, and the server's workers are forked from a process that must have none.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from db.database import Transaction
from db.models import Import
from db.queries import imports as queries
from service.imports.record import Lost, Progress, Run
from service.logs.chunks import Position
from service.logs.source import OpenLog
from telemetry.metrics import count_ingested

if TYPE_CHECKING:
    from service.logs.columnar import ParsedChunk
    from service.visits.derive import Rows


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """A chunk as it is stored: its lines, where to go on after it, and how many bytes have been read then.

    `rows` are its visits as they are inserted; a dry run has none.
    """

    parsed: "ParsedChunk"
    end: Position
    read: int
    rows: "Rows | None" = None


async def store_log(
    run: Run, import_id: int, log: OpenLog, *, ended: asyncio.Task[None], on_progress: Progress
) -> None:
    """Store what is left of the log. Raises Lost when the import has `ended`, or is another run's now."""
    await resume(run, log)
    parse_next, read = chunk_parser(run, log), log.file.offset
    reading = asyncio.create_task(read_chunk(run, import_id, parse_next))
    storing = Storing(run, import_id, on_progress)
    try:
        await storing.watch(reading, ended)
        while reading.exception() is None and (chunk := reading.result()) is not None:
            reading = asyncio.create_task(read_chunk(run, import_id, parse_next))
            read = chunk.read
            await storing.add(chunk)
            await storing.watch(reading, ended)
        await storing.finish()
        reading.result()  # or why there is no more: what was read before that is kept
    finally:
        # A thread can't be stopped, and must not be left reading from a file that is closed under it.
        log.stop()
        await asyncio.gather(reading, storing.abandon(), return_exceptions=True)
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


async def read_chunk(
    run: Run, import_id: int, parse_next: Callable[[], ReadChunk | None]
) -> ReadChunk | None:
    """The next chunk, ready to be inserted; None after the last one."""
    chunk = await asyncio.to_thread(parse_next)
    if chunk is None or run.reading.dry_run:
        return chunk
    from service.visits.derive import make_rows, name_pages

    visits = chunk.parsed.visits
    async with run.db.transaction() as session:
        pages = await name_pages(session, visits)
    rows = await asyncio.to_thread(make_rows, visits, pages, geo=run.geo, source="log", import_id=import_id)
    return replace(chunk, rows=rows)


def chunk_parser(run: Run, log: OpenLog) -> Callable[[], ReadChunk | None]:
    """What reads and parses the next chunk, to be called in a thread; None after the last one."""
    chunks = log.file.chunks()

    def parse_next() -> ReadChunk | None:
        from service.logs.detect import parse_log_chunk

        for chunk in chunks:
            read = chunk.offset + len(chunk.data) if log.read is None else log.read()
            parsed = parse_log_chunk(chunk, zone=run.reading.zone, rules=run.reading.rules, now=run.clock())
            return ReadChunk(parsed, chunk.end, read)
        return None

    return parse_next


class Storing:
    """The chunks on their way into the database: two at the most."""

    def __init__(self, run: Run, import_id: int, on_progress: Progress) -> None:
        self._run = run
        self._import_id = import_id
        self._on_progress = on_progress
        self._under_way: list[asyncio.Task[None]] = []

    async def add(self, chunk: ReadChunk) -> None:
        """Returns when the visits of this chunk are copied, and the chunk before it is stored."""
        before = self._under_way[-1] if self._under_way else None
        copied = asyncio.Event()
        task = asyncio.create_task(self._store(chunk, before, copied))
        task.add_done_callback(lambda _: copied.set())
        self._under_way.append(task)
        await copied.wait()
        if before is not None:
            await before
            self._under_way.remove(before)

    async def finish(self) -> None:
        for task in self._under_way:
            await task

    async def abandon(self) -> None:
        """Roll back what is not stored yet."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def watch(self, reading: asyncio.Task[ReadChunk | None], ended: asyncio.Task[None]) -> None:
        """Wait until the next chunk is read. Raises Lost if the import ends, or what storing fails with."""
        pending = {reading, ended, *self._under_way}
        while not reading.done():
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            self._check(ended)
        self._check(ended)

    def _check(self, ended: asyncio.Task[None]) -> None:
        if ended.done() and not ended.cancelled() and ended.exception() is None:
            raise Lost
        for task in self._under_way:
            if task.done():
                task.result()

    async def _store(
        self, chunk: ReadChunk, before: asyncio.Task[None] | None, copied: asyncio.Event
    ) -> None:
        from db.queries.visits import insert_trial_keys
        from service.visits.derive import derive, insert

        run, parsed = self._run, chunk.parsed
        async with run.db.transaction() as session:
            if chunk.rows is None:
                new = await insert_trial_keys(run.lock, parsed.visits)
                copied.set()
                await stored(before)
            else:
                inserted = await insert(session, chunk.rows)
                copied.set()
                await stored(before)
                await derive(session, inserted)
                new = inserted.height
                if run.source.key is not None:
                    await queries.put_position(session, run.source.key, self._import_id, **asdict(chunk.end))
            record = await self._count(session, chunk, new)
        count_ingested("lines", parsed.lines)
        if not run.reading.dry_run:
            count_ingested("visits", new)
        self._on_progress(record)

    async def _count(self, session: Transaction, chunk: ReadChunk, new: int) -> Import:
        """Add the chunk to the import's row, with its rejects. Raises Lost."""
        run, parsed = self._run, chunk.parsed
        await queries.insert_rejects(session, self._import_id, map(asdict, parsed.rejects))
        rejected = len(parsed.rejects)
        record = await queries.add_to_import(
            session,
            self._import_id,
            run.owner,
            counts=queries.Counts(new, parsed.lines - rejected - new, rejected),
            span=parsed.span if new and not run.reading.dry_run else None,
            read=chunk.read,
            log_format=parsed.log_format,
            at=run.clock(),
        )
        if record is None:
            raise Lost
        return record


async def stored(before: asyncio.Task[None] | None) -> None:
    """Wait for the chunk before, whose failure is that of all after it."""
    if before is not None:
        await asyncio.wait([before])  # awaiting it would cancel it with us
        before.result()
