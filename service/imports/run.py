"""One run of an import, from creating or resuming its row to finishing it.

A run holds the advisory lock of its file, which PostgreSQL releases when the process dies. Its heartbeat in
the row tells other processes that it is alive, and tells the run when its lease is lost.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from clients.geo import Geo
from clock import Clock
from db.database import Database
from db.locks import import_key, try_lock
from db.models import Import
from db.queries import imports as queries
from db.queries import positions
from service.errors import Conflict
from service.imports.outcome import LeaseLost, describe_failure, end_status
from service.imports.pipeline import store_log
from service.imports.record import (
    ImportOptions,
    ImportRun,
    Progress,
    create_import,
    finish_import,
    reload_import,
    resume_import,
)
from service.imports.same_file import find_imports_of_file
from service.logs.first_line import NO_FIRST_LINE
from service.logs.source import LogSource, OpenLog

HEARTBEAT_SECONDS = 1.0


async def import_log(
    db: Database,
    geo: Geo,
    source: LogSource,
    options: ImportOptions,
    *,
    clock: Clock,
    on_progress: Progress,
    import_id: int | None = None,
    prior_status: str = "running",
) -> Import:
    """Import what is new in a log, and return the row of the import when it has ended.

    `on_progress` gets the row at the beginning and after each chunk. An import that fails or is cancelled
    keeps the chunks that it has stored.

    :param import_id: the import to resume; None creates one
    :param prior_status: that it must have: "running" if its process has died, "done" if its file has grown
    :raises Conflict: `import_running` while another run imports the file, `import_ended` if the import that
        is to be resumed does not have that status
    :raises LogReplaced: the import that is to be resumed has read another file, which stood at that path
    :raises OSError: the log can't be read
    """
    with source.open() as log:
        first_line, options = await identify(db, source, log, options)
        async with db.dedicated() as lock_session:
            lease_token = await queries.new_lease_token(lock_session)
            if not await try_lock(
                lock_session, import_key(source.key, first_line, source.location, lease_token)
            ):
                raise Conflict(f"{source.name} is being imported", code="import_running")
            run = ImportRun(
                db, geo, source, options, clock, on_progress, lock_session, lease_token, first_line
            )
            await check_other_runs(run, log)
            if import_id is None:
                record = await create_import(run, log.size)
            else:
                record = await resume_import(run, import_id, prior_status, log)
            on_progress(record)
            return await store_and_finish(run, record, log)


async def identify(
    db: Database, source: LogSource, log: OpenLog, options: ImportOptions
) -> tuple[bytes, ImportOptions]:
    """Return the digest of the log's first line, and the options with the format that was declared before.

    Nothing but the log_format that was once declared for a file may tell what its lines are.
    """
    first_line = await asyncio.to_thread(log.first_line, options.formats)
    if first_line != NO_FIRST_LINE or options.log_format is not None or source.key is None:
        return first_line, options
    async with db.read() as session:
        log_format = await positions.select_custom_format(session, source.key)
    if log_format is None:
        return first_line, options
    declared = replace(options, log_format=log_format)
    first_line = await asyncio.to_thread(log.first_line, declared.formats)
    return first_line, options if first_line == NO_FIRST_LINE else declared


async def check_other_runs(run: ImportRun, log: OpenLog) -> None:
    """Check that no other run reads the file by another format.

    :raises Conflict: `import_running`
    """
    file, location = run.source.key, run.source.location or ""
    if file is None:
        return
    for record in await find_imports_of_file(run.db, file, location, log.first_line, run.options.formats):
        lock = import_key(file, record.first_line_sha256, location)
        if record.first_line_sha256 != run.first_line and not await try_lock(run.lock_session, lock):
            raise Conflict(f"{run.source.name} is being imported", code="import_running")


async def store_and_finish(run: ImportRun, record: Import, log: OpenLog) -> Import:
    """Store what is new in the log, and write how the import ended."""
    import_id = record.id
    try:
        async with heartbeat(run, import_id) as lease_end:
            await store_log(run, record, log, lease_end=lease_end)
        return await finish_import(run, import_id, "done")
    except LeaseLost:
        return await reload_import(run.db, import_id)
    except BaseException as error:
        status = end_status(error, run.options.mode)
        if status is not None:
            message = describe_failure(error, run.source) if status == "failed" else None
            # A run that is cancelled still has to write how it ended.
            await asyncio.shield(finish_import(run, import_id, status, error=message))
        raise


@asynccontextmanager
async def heartbeat(run: ImportRun, import_id: int) -> AsyncIterator[asyncio.Task[None]]:
    """Renew the lease in the background. The task that this yields ends when the lease is lost."""

    async def renew() -> None:
        is_leased = True
        while is_leased:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            async with run.db.transaction() as session:
                is_leased = await queries.update_heartbeat(session, import_id, run.lease_token)

    task = asyncio.create_task(renew())
    try:
        yield task
    finally:
        task.cancel()
        # An error of a heartbeat is dropped: storing the next chunk meets whatever is wrong.
        await asyncio.gather(task, return_exceptions=True)
