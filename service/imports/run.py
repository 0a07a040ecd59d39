"""One run of an import, from the row that it begins to the row that it ends.

Who imports a file holds its advisory lock, which PostgreSQL frees when the holder dies. A heartbeat in the
row tells the others that it lives; it also tells the run that it was cancelled.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from clients.geo import Geo
from db.database import Database
from db.locks import import_key, try_lock
from db.models import Import
from db.queries import imports as queries
from service.clock import Clock
from service.errors import Conflict
from service.imports.pipeline import store_log
from service.imports.record import (
    PASSING,
    Lost,
    Progress,
    Reading,
    Run,
    begin_import,
    cause_of,
    end_import,
    read_import,
    take_over,
)
from service.logs.source import LogSource

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
        async with db.dedicated() as lock:
            owner = await queries.new_owner(lock)
            if not await try_lock(lock, import_key(source.key, owner)):
                raise Conflict(f"{source.name} is being imported", code="import_running")
            run = Run(db, geo, source, reading, clock, lock, owner)
            if import_id is None:
                record = await begin_import(run, log.size)
            else:
                record = await take_over(run, import_id, "done" if reopen else "running", log.size)
            on_progress(record)
            try:
                async with heartbeat(run, record.id) as ended:
                    await store_log(run, record.id, log, ended=ended, on_progress=on_progress)
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
