"""Recovers imports whose process has died; every worker of a server looks for them.

An import that a server began is resumed. One of the command line, or an upload, whose lines can't be read
again, is marked as failed. An undo is resumed whoever began it.
"""

import asyncio
from dataclasses import dataclass

import structlog

from clients.geo import Geo
from clock import Clock
from db.database import DATABASE_ERRORS, Database
from db.locks import import_key, try_lock
from db.models import Import
from db.outages import describe
from db.queries import imports as queries
from service.background import Background, Schedule, run_periodically
from service.errors import Conflict, UnknownFormat
from service.imports.outcome import BROKEN_OFF, INTERRUPTED, REPLACED, LogReplaced
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.imports.undo import undo_import
from service.logs.folder import LogFolder
from service.logs.source import LogSource

log = structlog.get_logger("trawl.imports")


SCHEDULE = Schedule(every=1.0, retry=1.0)


@dataclass(frozen=True, slots=True)
class RecoveryTimes:
    """When imports are recovered, by the seconds since their last heartbeat.

    :param stale_after: an import is resumed if nobody holds its lock and its file can be read here
    :param abandoned_after: one whose file can't be read here is marked as failed. Until then the server of
        another machine, where the file may lie, may come back
    """

    schedule: Schedule = SCHEDULE
    stale_after: float = 4.0
    abandoned_after: float = 30.0


RECOVERY_TIMES = RecoveryTimes()


async def recover_imports(
    db: Database,
    geo: Geo,
    logs: LogFolder,
    background: Background,
    *,
    clock: Clock,
    times: RecoveryTimes = RECOVERY_TIMES,
) -> None:
    """Recover imports and undos whose process has died, until cancelled."""
    tasks: dict[int, asyncio.Task[None]] = {}

    async def recover_stale() -> None:
        async with db.read() as session:
            stale = await queries.select_stale_imports(session, stale_after=times.stale_after)
        for import_id in [import_id for import_id, task in tasks.items() if task.done()]:
            del tasks[import_id]
        for record, heartbeat_age in stale:
            if record.id not in tasks:
                is_abandoned = heartbeat_age > times.abandoned_after
                work = recover(db, geo, logs, record, clock=clock, is_abandoned=is_abandoned)
                tasks[record.id] = background.spawn(work, name=f"import {record.id}")

    await run_periodically(db, recover_stale, times.schedule, failure_event="import_recovery_failed")


async def recover(
    db: Database, geo: Geo, logs: LogFolder, record: Import, *, clock: Clock, is_abandoned: bool
) -> None:
    """Resume a stale import or its undo, or mark it as failed. Do nothing if its process is alive."""
    try:
        if record.status != "running":
            await undo_import(db, record.id)
        elif record.file is None:
            await mark_failed(db, record, BROKEN_OFF, clock=clock)
        elif record.resumable:
            await resume(db, geo, logs, record, record.file, clock=clock, is_abandoned=is_abandoned)
        else:
            await mark_failed(db, record, INTERRUPTED, clock=clock)
    except DATABASE_ERRORS as error:
        log.warning("import_resume_failed", import_id=record.id, cause=describe(error))


async def resume(
    db: Database, geo: Geo, logs: LogFolder, record: Import, file: str, *, clock: Clock, is_abandoned: bool
) -> None:
    """Resume an import of a file. If the file can't be read, mark an abandoned import as failed.

    One of another location that has stored nothing yet, which could tell whether it is the file that lies
    here, is left for a while to the server that began it.
    """
    source = LogSource.of_key(record.name, file)
    if not record.lines and not is_abandoned and record.location not in (None, source.location):
        return
    options = ImportOptions(
        logs.zone,
        mode="resume",
        dry_run=record.dry_run,
        rules=logs.rules,
        address_mask=logs.address_mask,
        log_format=record.declared_format,
    )
    try:
        await import_log(
            db,
            geo,
            source,
            options,
            clock=clock,
            on_progress=lambda _: None,
            import_id=record.id,
        )
    except (Conflict, UnknownFormat):
        return  # another process holds its lock, or has ended it
    except LogReplaced:
        # The file may lie on another machine, at the same path.
        if is_abandoned:
            await mark_failed(db, record, REPLACED, clock=clock)
    except OSError:
        if is_abandoned:
            await mark_failed(db, record, INTERRUPTED, clock=clock)


async def mark_failed(db: Database, record: Import, error: str, *, clock: Clock) -> None:
    """End an import as failed, unless another process holds its lock."""
    async with db.transaction() as session:
        if await try_lock(
            session, import_key(record.file, record.first_line_sha256, record.location, record.owner)
        ):
            await queries.finish_import(session, record.id, record.owner, "failed", at=clock(), error=error)
