"""Imports of access logs: start one, join a running one, list them and their rejects."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

from clients.geo import Geo
from clock import Clock
from db.database import Database
from db.models import Import
from db.queries import imports as queries
from db.queries import rejects
from db.queries.auth_events import Origin, insert_own_event
from db.queries.rejects import RejectRow
from service.background import Background
from service.errors import Conflict, Invalid, NotFound, TooLarge, TooMany, TooSlow
from service.imports.record import ImportOptions, reload_import
from service.imports.run import import_log
from service.imports.same_file import find_imports_of_file
from service.logs.folder import LogFolder
from service.logs.nginx_format import FormatError, read_format
from service.logs.pieces import READ_ERRORS
from service.logs.requests import NO_URL_BEGIN
from service.logs.source import LogSource
from service.logs.streams import UploadedLog

POLL_SECONDS = 0.02
CREATE_SECONDS = 5.0  # within which the holder of a file's lock creates the row of its import


async def parse_log(
    db: Database,
    geo: Geo,
    logs: LogFolder,
    background: Background,
    *,
    file: str | None,
    dry_run: bool,
    wait: float,
    log_format: str | None = None,
    clock: Clock,
    is_draining: Callable[[], bool] = lambda: False,
) -> Import:
    """Import a log of the log folder, or join a running import of it.

    Returns the row of the import when it has ended, after `wait` seconds, or when this server drains.

    :param log_format: of the log; by default that of the folder
    :raises NotFound: `no_such_log`
    :raises Invalid: `log_format` is none
    :raises Conflict: `import_running`, if an import of the file is being undone all that time
    """
    deadline = time.monotonic() + wait
    source = logs.get_source(file)
    options = ImportOptions(
        logs.zone,
        mode="resume",
        dry_run=dry_run,
        rules=logs.rules,
        address_mask=logs.address_mask,
        log_format=check_format(log_format) or logs.log_format,
    )
    start_deadline = time.monotonic() + max(wait, CREATE_SECONDS)
    import_id = await start_import(db, geo, source, options, background, clock=clock, deadline=start_deadline)
    while True:
        record = await get_import(db, import_id)
        if record.status != "running" or time.monotonic() >= deadline or is_draining():
            return record
        await asyncio.sleep(POLL_SECONDS)


async def start_import(
    db: Database,
    geo: Geo,
    source: LogSource,
    options: ImportOptions,
    background: Background,
    *,
    clock: Clock,
    deadline: float,
) -> int:
    """Start an import in the background, or find the running one of the same file. Return its id.

    :raises Conflict: `import_running`, if the file is locked and no import of it runs until the deadline
    """
    while True:
        first_progress: asyncio.Future[Import] = asyncio.Future()
        on_progress = partial(set_first_result, first_progress)
        work = import_log(db, geo, source, options, clock=clock, on_progress=on_progress)
        task = background.spawn(work, name=f"import of {source.name}")
        await asyncio.wait([task, first_progress], return_when=asyncio.FIRST_COMPLETED)
        if first_progress.done():
            return first_progress.result().id
        first_progress.cancel()
        match task.exception():
            case Conflict() as conflict if source.key is not None:
                if (running := await find_running_import(db, source, options)) is not None:
                    return running.id
                if time.monotonic() >= deadline:
                    raise conflict
                await asyncio.sleep(POLL_SECONDS)
            case None:
                raise RuntimeError("an import ended before it began")
            case error:
                raise error


def check_format(text: str | None) -> str | None:
    """Return the text of a log's format, or None.

    :raises Invalid: it is none
    """
    if text is not None:
        try:
            read_format(text)
        except FormatError as error:
            raise Invalid(str(error), errors=[("/format", str(error))]) from None
    return text


async def find_running_import(db: Database, source: LogSource, options: ImportOptions) -> Import | None:
    """Return the newest running import of a file, in whatever format; None of a stream."""
    if source.key is None:
        return None
    first_line = await asyncio.to_thread(source.digest_first_line, options.formats)
    async with db.read() as session:
        record = await queries.select_running_import(session, source.key, first_line, source.location)
    if record is not None:
        return record
    records = await find_imports_of_file(
        db, source.key, source.location or "", source.digest_first_line, options.formats
    )
    return records[0] if records else None


def set_first_result(future: asyncio.Future[Import], record: Import) -> None:
    """Set the result of the future, unless it has one or is cancelled."""
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
    gzipped: bool,
    size: int | None,
    clock: Clock,
    origin: Origin | None = None,
    log_format: str | None = None,
) -> Import:
    """Import a log while it is uploaded. Return the row of the import when all of it has been read.

    An upload that breaks off, or whose gzip data is broken, returns normally: its row has failed, and keeps
    the whole lines.

    :raises Invalid: `log_format` is none
    :raises TooLarge: it becomes much larger when it is gunzipped than a log may
    :raises TooSlow: it did not arrive, or arrived too slowly
    :raises TooMany: too many slow ones come from its address
    """
    declared = check_format(log_format) or logs.log_format
    async with db.transaction() as session:
        await insert_own_event(session, "import_uploaded", origin)
    stream = UploadedLog(pieces, gzipped=gzipped, limits=logs.gunzip_limits)
    source = LogSource.of_stream(name, stream, size=size, chunk_bytes=logs.chunk_bytes)
    options = ImportOptions(
        logs.zone,
        dry_run=dry_run,
        rules=logs.rules,
        address_mask=logs.address_mask,
        log_format=declared,
    )
    records: list[Import] = []
    try:
        return await import_log(db, geo, source, options, clock=clock, on_progress=records.append)
    except (TooLarge, TooSlow, TooMany):
        raise
    except READ_ERRORS:
        if not records:
            raise
        return await reload_import(db, records[0].id)


async def get_import(db: Database, import_id: int) -> Import:
    """Return the row of an import.

    :raises NotFound: there is none
    """
    async with db.read() as session:
        record = await queries.select_import(session, import_id)
    if record is None:
        raise NotFound(f"no import {import_id}")
    return record


async def list_imports(db: Database, *, after: tuple[int] | None, limit: int, offset: int) -> list[Import]:
    """Return imports after the id `after`, newest first: one more than `limit` if there are more."""
    async with db.read() as session:
        return await queries.select_imports(session, after=after, limit=limit + 1, offset=offset)


async def is_mostly_rejected(db: Database, record: Import) -> bool:
    """Return whether more than half of the lines are rejects, but for requests that name no URL."""
    if record.rejected <= record.lines / 2:
        return False
    begin = f"{record.format}: {NO_URL_BEGIN}"
    async with db.transaction() as session:
        count = await rejects.count_rejects(session, record.id, begin=begin)
    return record.rejected - count > (record.lines - count) / 2


async def list_rejects(
    db: Database, import_id: int, *, with_text: bool, after: tuple[int] | None, limit: int, offset: int
) -> list[RejectRow]:
    """Return the rejects of an import after the line `after`: one more than `limit` if there are more.

    :param with_text: with the rejected lines themselves, which may hold anything
    :raises NotFound: there is no such import
    """
    async with db.transaction() as session:
        if await queries.select_import(session, import_id) is None:
            raise NotFound(f"no import {import_id}")
        return await rejects.select_rejects(
            session, import_id, with_text=with_text, after=after, limit=limit + 1, offset=offset
        )
