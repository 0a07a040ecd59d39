"""Stores a log chunk by chunk: while one is stored, the next is parsed, named and encoded.

A chunk is stored with all that is derived from it, its rejects and the position after it, in one transaction.
It commits after the chunk before it, and only while the import is leased to this run.

Whatever needs numpy is imported where it is used, in a thread: it takes a while, and few workers import.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from db.database import Transaction
from db.models import FilePosition, Import
from db.queries import imports as queries
from db.queries import positions, rejects
from service.imports.outcome import REPLACED, LeaseLost, LogReplaced
from service.imports.record import ImportRun
from service.logs.chunks import Position
from service.logs.source import OpenLog
from telemetry.metrics import count_ingested

if TYPE_CHECKING:
    from service.imports.part_writer import PartWriter, PreparedPart
    from service.logs.line_columns import LineColumns

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A parsed chunk, ready to be stored.

    :param end: where reading resumes after it
    :param log_format: by which it resumes, as a parser of the log keeps it
    :param bytes_read: how many bytes of the log, as it is stored, have been read after it
    :param part: its lines as they are stored; None in a dry run, and where there are none
    """

    lines: "LineColumns"
    end: Position
    log_format: str | None
    bytes_read: int
    part: "PreparedPart | None" = None


async def store_log(run: ImportRun, record: Import, log: OpenLog, *, lease_end: asyncio.Task[None]) -> None:
    """Store what is new in the log, chunk by chunk.

    :param record: of the import; it has lines already if it is resumed
    :param lease_end: ends when the lease is lost
    :raises LogReplaced: those lines stood in another file, whose numbers would be told of this one
    :raises LeaseLost: the import is not this run's any more
    """
    is_continued, log_format = await seek_position(run, log)
    if not is_continued and record.lines and not record.dry_run:
        raise LogReplaced(REPLACED)
    await asyncio.to_thread(import_module, "service.imports.part_writer")
    from service.imports.part_writer import PartWriter

    import_id = record.id
    parse_next, bytes_read = chunk_parser(run, log, log_format), log.file.offset
    writer = ChunkWriter(run, import_id, PartWriter(run.geo, import_id))
    preparation = asyncio.create_task(writer.prepare(parse_next))
    tasks: list[asyncio.Task[None]] = []
    try:
        while (chunk := await wait_for(preparation, lease_end)) is not None:
            preparation = asyncio.create_task(writer.prepare(parse_next))
            tasks = [asyncio.create_task(writer.store(chunk))]
            await wait_for(tasks[0], lease_end)
            bytes_read = chunk.bytes_read
    finally:
        # A thread can't be stopped, and must not be left reading from a file that is closed under it.
        log.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(preparation, *tasks, return_exceptions=True)
    async with run.db.transaction() as session:
        if not await queries.update_bytes_read(session, import_id, run.lease_token, bytes_read):
            raise LeaseLost


async def wait_for(task: asyncio.Task[T], lease_end: asyncio.Task[None]) -> T:
    """Return the result of a task.

    :raises LeaseLost: the lease ended first
    :raises Exception: whatever made the task fail
    """
    pending = {task, lease_end}
    while not task.done():
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if lease_end.done() and not lease_end.cancelled() and lease_end.exception() is None:
            raise LeaseLost
    return task.result()


async def seek_position(run: ImportRun, log: OpenLog) -> tuple[bool, str | None]:
    """Go to where the last import of the file stopped, or to its start, if there is no such place.

    Return whether there is, and the format of what stands before, as far as it is known.
    """
    rows = list[FilePosition]()
    if run.source.key is not None:
        async with run.db.read() as session:
            rows = await positions.select_positions(
                session, run.source.key, run.first_line, run.source.location or ""
            )
    for row in rows:
        position = Position(row.offset, row.line, row.prefix_sha256)
        if await asyncio.to_thread(log.file.seek, position):
            return True, row.format
    if not rows:
        await asyncio.to_thread(log.file.seek, Position.start())
    return False, None


def chunk_parser(run: ImportRun, log: OpenLog, log_format: str | None) -> Callable[[], PreparedChunk | None]:
    """Return a function that reads and parses the next chunk, for a thread; it returns None at the end.

    It goes on over chunks whose format is not known yet. At the end it raises UnknownFormat if that is none,
    unless more may be appended to the log.
    """
    from service.imports.masked_lines import mask_lines
    from service.logs.log_parser import LogParser

    chunks = log.file.chunks()
    parser: LogParser = log.file.parser or LogParser(run.options.formats, state=log_format)

    def parse_next() -> PreparedChunk | None:
        for chunk in chunks:
            bytes_read = chunk.offset + len(chunk.data) if log.bytes_read is None else log.bytes_read()
            lines = parser.parse(chunk, now=run.clock())
            log.file.parser = parser
            if lines is not None:
                lines = mask_lines(lines, run.geo, run.options.address_mask)
                return PreparedChunk(lines, chunk.end, parser.state, bytes_read)
        if not log.may_grow:
            parser.finish()
        return None

    return parse_next


class ChunkWriter:
    """Stores the chunks of an import, in their order."""

    def __init__(self, run: ImportRun, import_id: int, parts: "PartWriter") -> None:
        self._run = run
        self._import_id = import_id
        self._parts = parts

    async def prepare(self, parse_next: Callable[[], PreparedChunk | None]) -> PreparedChunk | None:
        """Read, parse and encode the next chunk; None after the last one. A dry run does not encode."""
        chunk = await asyncio.to_thread(parse_next)
        if chunk is None or self._run.options.dry_run:
            return chunk
        return replace(chunk, part=await self._parts.prepare(self._run.db, chunk.lines))

    async def store(self, chunk: PreparedChunk) -> None:
        """Store a chunk in one transaction."""
        from service.imports.part_writer import StaleNames

        while True:
            try:
                new, record = await self._try_to_store(chunk)
                break
            except StaleNames:
                chunk = replace(chunk, part=await self._parts.prepare(self._run.db, chunk.lines))
        count_ingested("lines", chunk.lines.lines)
        if not self._run.options.dry_run:
            count_ingested("visits", new)
        self._run.on_progress(record)

    async def _try_to_store(self, chunk: PreparedChunk) -> tuple[int, Import]:
        """Store a chunk. Return how many of its lines are new, and the row of the import.

        :raises StaleNames: it has to be prepared anew
        """
        run = self._run
        async with run.db.transaction() as session:
            if run.options.dry_run:
                new = await self._parts.count_new(run.lock_session, chunk.lines)
            else:
                new = 0 if chunk.part is None else await self._parts.store(session, chunk.part)
                if run.source.key is not None:
                    await positions.upsert_position(
                        session,
                        run.source.key,
                        run.first_line,
                        run.source.location or "",
                        self._import_id,
                        followed_as=run.source.followed_as,
                        log_format=chunk.log_format,
                        **asdict(chunk.end),
                    )
            return new, await self._update_record(session, chunk, new)

    async def _update_record(self, session: Transaction, chunk: PreparedChunk, new: int) -> Import:
        """Add the chunk, of which `new` visits were stored, to the counts of the import; keep its rejects.

        :raises LeaseLost: the import is not this run's any more
        """
        run, lines = self._run, chunk.lines
        await rejects.insert_rejects(session, self._import_id, map(asdict, lines.rejects))
        rejected = len(lines.rejects)
        record = await queries.update_counts(
            session,
            self._import_id,
            run.lease_token,
            counts=queries.Counts(new, lines.lines - rejected - new, rejected),
            span=lines.span if new and not run.options.dry_run else None,
            bytes_read=chunk.bytes_read,
            log_format=lines.log_format,
            at=run.clock(),
        )
        if record is None:
            raise LeaseLost
        return record
