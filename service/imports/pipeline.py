"""Stores a log with three chunks in progress at once: one is parsed, one copied into `visit`, and the one
before it merged into carts and roll-ups.

A chunk is stored with all that is derived from it, its rejects and the position after it, in one transaction.
It commits after the chunk before it, and only while the import is leased to this run.

Whatever needs polars is imported where it is used, in the thread that parses: polars starts threads when it
is imported, and the server's workers are forked from a process that must have none.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from db.database import Transaction
from db.models import Import
from db.queries import imports as queries
from db.queries import rejects
from service.imports.outcome import LeaseLost
from service.imports.record import ImportRun
from service.logs.chunks import Position
from service.logs.source import OpenLog
from telemetry.metrics import count_ingested

if TYPE_CHECKING:
    from service.logs.columnar import ParsedChunk
    from service.visits.derive import EncodedVisits


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A parsed chunk, ready to be stored.

    :param end: where reading resumes after it
    :param bytes_read: how many bytes of the log, as it is stored, have been read after it
    :param visits: its visits as they are inserted; None in a dry run
    """

    parsed: "ParsedChunk"
    end: Position
    bytes_read: int
    visits: "EncodedVisits | None" = None


async def store_log(run: ImportRun, import_id: int, log: OpenLog, *, lease_end: asyncio.Task[None]) -> None:
    """Store what is new in the log, chunk by chunk.

    :param lease_end: ends when the lease is lost
    :raises LeaseLost: the import is not this run's any more
    """
    await seek_position(run, log)
    parse_next, bytes_read = chunk_parser(run, log), log.file.offset
    preparation = asyncio.create_task(prepare_chunk(run, import_id, parse_next))
    writer = ChunkWriter(run, import_id)
    try:
        await writer.wait_for(preparation, lease_end)
        while preparation.exception() is None and (chunk := preparation.result()) is not None:
            preparation = asyncio.create_task(prepare_chunk(run, import_id, parse_next))
            bytes_read = chunk.bytes_read
            await writer.add(chunk)
            await writer.wait_for(preparation, lease_end)
        await writer.drain()
        preparation.result()  # raises what ended the log early, once the chunks before it are stored
    finally:
        # A thread can't be stopped, and must not be left reading from a file that is closed under it.
        log.stop()
        await asyncio.gather(preparation, writer.abort(), return_exceptions=True)
    async with run.db.transaction() as session:
        if not await queries.update_bytes_read(session, import_id, run.lease_token, bytes_read):
            raise LeaseLost


async def seek_position(run: ImportRun, log: OpenLog) -> None:
    """Go to where the last import of the file stopped, or to its start if the file was rewritten."""
    position = Position.start()
    if run.source.key is not None:
        async with run.db.read() as session:
            row = await queries.select_position(session, run.source.key)
        if row is not None:
            position = Position(row.offset, row.line, row.prefix_sha256)
    await asyncio.to_thread(log.file.seek, position)


async def prepare_chunk(
    run: ImportRun, import_id: int, parse_next: Callable[[], PreparedChunk | None]
) -> PreparedChunk | None:
    """Read, parse and encode the next chunk; None after the last one. A dry run does not encode."""
    chunk = await asyncio.to_thread(parse_next)
    if chunk is None or run.options.dry_run:
        return chunk
    from service.visits.derive import encode, ensure_page_ids

    visits = chunk.parsed.visits
    async with run.db.transaction() as session:
        pages = await ensure_page_ids(session, visits)
    encoded = await asyncio.to_thread(encode, visits, pages, geo=run.geo, source="log", import_id=import_id)
    return replace(chunk, visits=encoded)


def chunk_parser(run: ImportRun, log: OpenLog) -> Callable[[], PreparedChunk | None]:
    """Return a function that reads and parses the next chunk, for a thread; it returns None at the end."""
    chunks = log.file.chunks()

    def parse_next() -> PreparedChunk | None:
        from service.logs.detect import parse_log_chunk

        for chunk in chunks:
            bytes_read = chunk.offset + len(chunk.data) if log.bytes_read is None else log.bytes_read()
            parsed = parse_log_chunk(chunk, zone=run.options.zone, rules=run.options.rules, now=run.clock())
            return PreparedChunk(parsed, chunk.end, bytes_read)
        return None

    return parse_next


class ChunkWriter:
    """Stores chunks in their order, two at a time."""

    def __init__(self, run: ImportRun, import_id: int) -> None:
        self._run = run
        self._import_id = import_id
        self._tasks: list[asyncio.Task[None]] = []

    async def add(self, chunk: PreparedChunk) -> None:
        """Begin to store a chunk; return once its visits are copied and the chunk before it is stored."""
        previous = self._tasks[-1] if self._tasks else None
        copied = asyncio.Event()
        task = asyncio.create_task(self._store(chunk, previous, copied))
        task.add_done_callback(lambda _: copied.set())
        self._tasks.append(task)
        await copied.wait()
        if previous is not None:
            await previous
            self._tasks.remove(previous)

    async def drain(self) -> None:
        """Wait until all chunks are stored."""
        for task in self._tasks:
            await task

    async def abort(self) -> None:
        """Roll back the chunks that are not stored yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait_for(
        self, preparation: asyncio.Task[PreparedChunk | None], lease_end: asyncio.Task[None]
    ) -> None:
        """Wait until the next chunk is prepared.

        :raises LeaseLost: the lease ended first
        :raises Exception: whatever made storing an earlier chunk fail
        """
        pending = {preparation, lease_end, *self._tasks}
        while not preparation.done():
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            self._check(lease_end)
        self._check(lease_end)

    def _check(self, lease_end: asyncio.Task[None]) -> None:
        """Raise LeaseLost, or the failure of a chunk, if there is one by now."""
        if lease_end.done() and not lease_end.cancelled() and lease_end.exception() is None:
            raise LeaseLost
        for task in self._tasks:
            if task.done():
                task.result()

    async def _store(
        self, chunk: PreparedChunk, previous: asyncio.Task[None] | None, copied: asyncio.Event
    ) -> None:
        """Store a chunk in one transaction; set `copied` when the next chunk may begin to be copied."""
        from db.queries.visits import insert_trial_keys
        from service.visits.derive import add, insert

        run, parsed = self._run, chunk.parsed
        async with run.db.transaction() as session:
            if chunk.visits is None:
                new = await insert_trial_keys(run.lock_session, parsed.visits)
                copied.set()
                await await_previous(previous)
            else:
                inserted = await insert(session, chunk.visits)
                copied.set()
                await await_previous(previous)
                await add(session, inserted)
                new = inserted.height
                if run.source.key is not None:
                    await queries.upsert_position(
                        session, run.source.key, self._import_id, **asdict(chunk.end)
                    )
            record = await self._update_record(session, chunk, new)
        count_ingested("lines", parsed.lines)
        if not run.options.dry_run:
            count_ingested("visits", new)
        run.on_progress(record)

    async def _update_record(self, session: Transaction, chunk: PreparedChunk, new: int) -> Import:
        """Add the chunk, of which `new` visits were stored, to the counts of the import; keep its rejects.

        :raises LeaseLost: the import is not this run's any more
        """
        run, parsed = self._run, chunk.parsed
        await rejects.insert_rejects(session, self._import_id, map(asdict, parsed.rejects))
        rejected = len(parsed.rejects)
        record = await queries.update_counts(
            session,
            self._import_id,
            run.lease_token,
            counts=queries.Counts(new, parsed.lines - rejected - new, rejected),
            span=parsed.span if new and not run.options.dry_run else None,
            bytes_read=chunk.bytes_read,
            log_format=parsed.log_format,
            at=run.clock(),
        )
        if record is None:
            raise LeaseLost
        return record


async def await_previous(previous: asyncio.Task[None] | None) -> None:
    """Wait until the previous chunk is stored; raise its failure, which is that of all chunks after it."""
    if previous is not None:
        await asyncio.wait([previous])  # `await previous` would cancel it together with this task
        previous.result()
