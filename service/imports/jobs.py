"""Imports of access logs: begin one, join it, look at it and at what it rejected."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

from clients.geo import Geo
from db.database import Database
from db.models import Import, Reject
from db.queries import imports as queries
from service.background import Background
from service.clock import Clock
from service.errors import Conflict, NotFound, TooLarge
from service.imports.record import Reading, read_import
from service.imports.run import import_log
from service.logs.source import LogFolder, LogSource
from service.logs.streams import BREAKS, UploadedLog

POLL_SECONDS = 0.02
BEGIN_SECONDS = 5.0  # within which who has taken a file's lock writes the row of its import


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
    is_leaving: Callable[[], bool] = lambda: False,
) -> Import:
    """Import a log of the log folder, or join the import of it that runs already.

    Answers with its row when it has ended, after `wait` seconds, or when this server is leaving.
    Raises NotFound `no_such_log`, and Conflict `import_running` while an import of the file is being undone
    for as long.
    """
    until = time.monotonic() + wait
    source = logs.find(file)
    reading = Reading(logs.zone, dry_run=dry_run, resumable=True, rules=logs.rules)
    begun_by = time.monotonic() + max(wait, BEGIN_SECONDS)
    import_id = await start_import(db, geo, source, reading, background, clock=clock, until=begun_by)
    while True:
        record = await get_import(db, import_id)
        if record.status != "running" or time.monotonic() >= until or is_leaving():
            return record
        await asyncio.sleep(POLL_SECONDS)


async def start_import(
    db: Database,
    geo: Geo,
    source: LogSource,
    reading: Reading,
    background: Background,
    *,
    clock: Clock,
    until: float,
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
            case Conflict() as conflict if source.key is not None:
                async with db.read() as session:
                    running = await queries.select_running_import(session, source.key)
                if running is not None:
                    return running.id
                if time.monotonic() >= until:
                    raise conflict
                await asyncio.sleep(POLL_SECONDS)
            case None:
                raise RuntimeError("an import ended before it began")
            case error:
                raise error


def set_once(future: asyncio.Future[Import], record: Import) -> None:
    if not future.done():
        future.set_result(record)


async def upload_log(
    db: Database,
    geo: Geo,
    logs: LogFolder,
    pieces: AsyncIterator[bytes],
    *,
    name: str,
    dry_run: bool,
    packed: bool,
    size: int | None,
    clock: Clock,
) -> Import:
    """Import a log while it is being uploaded. Answers with its row when all of it was read.

    The row tells also of an upload that broke off or was broken: it has failed, and keeps its whole lines.
    Raises TooLarge for one that unpacks to much more than it is.
    """
    stream = UploadedLog(pieces, packed=packed)
    reading = Reading(logs.zone, dry_run=dry_run, rules=logs.rules)
    begun: list[Import] = []
    try:
        return await import_log(
            db,
            geo,
            LogSource.of_stream(name, stream, size=size),
            reading,
            clock=clock,
            on_progress=begun.append,
        )
    except TooLarge:
        raise
    except BREAKS:
        if not begun:
            raise
        return await read_import(db, begun[0].id)


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
