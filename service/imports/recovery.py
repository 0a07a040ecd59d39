"""Sees to it that no import is left alone: each worker looks now and then for those whose process has died.

An import that a server began is gone on with; one of the command line, or an upload, whose lines cannot be
had again, is told as failed. Undoing is gone on with whoever began it.
"""

import asyncio

import structlog

from clients.geo import Geo
from db.database import DATABASE_ERRORS, Database
from db.locks import import_key, try_lock
from db.models import Import
from db.queries import imports as queries
from service.background import Background
from service.clock import Clock
from service.errors import Conflict
from service.imports.record import BROKEN_OFF, INTERRUPTED, Reading
from service.imports.run import import_log
from service.imports.undo import undo_import
from service.logs.source import LogFolder, LogSource

log = structlog.get_logger("trawl.imports")

LOOK_SECONDS = 1.0


async def keep_imports(
    db: Database, geo: Geo, logs: LogFolder, background: Background, *, clock: Clock
) -> None:
    """Look for ever."""
    under_way: dict[int, asyncio.Task[None]] = {}
    while True:
        try:
            async with db.read() as session:
                found = await queries.select_unfinished_imports(session)
        except DATABASE_ERRORS as error:
            log.warning("imports_not_looked_after", cause=type(error).__name__)
            found = []
        under_way = {import_id: task for import_id, task in under_way.items() if not task.done()}
        for record, silence in found:
            if record.id not in under_way:
                work = go_on_if_possible(db, geo, logs, record, silence, clock=clock)
                under_way[record.id] = background.spawn(work, name=f"import {record.id}")
        await asyncio.sleep(LOOK_SECONDS)


async def go_on_if_possible(
    db: Database, geo: Geo, logs: LogFolder, record: Import, silence: float, *, clock: Clock
) -> None:
    try:
        await go_on(db, geo, logs, record, silence, clock=clock)
    except DATABASE_ERRORS as error:
        log.warning("import_not_gone_on_with", import_id=record.id, cause=type(error).__name__)


async def go_on(
    db: Database, geo: Geo, logs: LogFolder, record: Import, silence: float, *, clock: Clock
) -> None:
    """Go on with what gives no sign of life; its lock tells whether somebody is there all the same."""
    if record.status != "running":
        await undo_import(db, record.id)
    elif record.resumable and record.file is not None:
        reading = Reading(logs.zone, dry_run=record.dry_run, resumable=True, rules=logs.rules)
        try:
            await import_log(
                db,
                geo,
                LogSource.of_key(record.name, record.file),
                reading,
                clock=clock,
                on_progress=lambda _: None,
                import_id=record.id,
            )
        except Conflict:
            return
        except OSError:
            # The file may lie on another machine, whose server may come back.
            if silence > queries.LOST:
                await give_up(db, record, INTERRUPTED, clock=clock)
    else:
        await give_up(db, record, BROKEN_OFF if record.file is None else INTERRUPTED, clock=clock)


async def give_up(db: Database, record: Import, error: str, *, clock: Clock) -> None:
    async with db.transaction() as session:
        if await try_lock(session, import_key(record.file, record.owner)):
            await queries.finish_import(session, record.id, record.owner, "failed", at=clock(), error=error)
