"""Cancels imports, and undoes them, as if they had never been.

Visits are deleted in spans of time, newest first, each span in one transaction with all that is derived from
it. At any moment carts and roll-ups match the visits that are left. Writers of visits wait for one span at
most (service/visits/pacing.py says how long that is). Then unused addresses are deleted, goods are inferred
again, and the position in the file is restored. If the process dies, another resumes the undo.

A line that two imports contain belongs to the one that stored it: undoing that import deletes its visit.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from logging import ERROR

import structlog

from clock import Clock
from db.database import DATABASE_ERRORS, Database
from db.locks import import_key, try_lock
from db.models import Import
from db.outages import describe, is_lasting
from db.queries import imports as queries
from db.queries.auth_events import Origin, insert_own_event
from service.background import Background
from service.errors import Conflict, NotFound
from service.imports.outcome import describe_failed_undo
from service.imports.record import reload_import
from service.imports.run import HEARTBEAT_SECONDS
from service.visits.pacing import LIMITS, AdaptiveBatch
from service.visits.removal import delete_unvisited_addresses

log = structlog.get_logger("trawl.imports")

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class UndoLimits:
    """The most visits in a span, and the seconds that a span should take, and that a caller waits at most."""

    span_visits: int = LIMITS.visits
    span_seconds: float = LIMITS.lock_seconds
    wait_seconds: float = 5.0


UNDO_LIMITS = UndoLimits()


async def delete_import(
    db: Database,
    background: Background,
    import_id: int,
    *,
    clock: Clock,
    origin: Origin | None = None,
    limits: UndoLimits = UNDO_LIMITS,
) -> Import:
    """Cancel an import that runs, or undo one that has ended.

    Returns its row when that is done. An undo that takes longer than a caller waits continues in the
    background.

    :raises NotFound: there is no such import
    :raises Conflict: `import_running`, while another import of the same file runs
    """
    async with db.transaction() as session:
        cancelled = await queries.cancel_running_import(session, import_id, at=clock())
        if cancelled is not None:
            await insert_own_event(session, "import_cancelled", origin)
            return cancelled
        record = await queries.select_import(session, import_id)
        if record is None:
            raise NotFound(f"no import {import_id}")
        if record.file is not None and await queries.select_running_import(session, record.file) is not None:
            raise Conflict(
                f"{record.name} is being imported; cancel that import first", code="import_running"
            )
        if await queries.request_undo(session, import_id, at=clock()) is None:
            return record
        await insert_own_event(session, "import_undone", origin)
    task = background.spawn(undo_import(db, import_id, limits), name=f"undo of import {import_id}")
    await asyncio.wait([task], timeout=limits.wait_seconds)
    if task.done():
        task.result()
    return await reload_import(db, import_id)


def is_being_undone(record: Import) -> bool:
    return record.undo_at is not None and record.status != "undone"


async def undo_import(db: Database, import_id: int, limits: UndoLimits = UNDO_LIMITS) -> None:
    """Undo an import whose undo is requested. Return once it is undone or has failed, here or elsewhere."""
    while True:
        record = await reload_import(db, import_id)
        if record.status == "undone":
            return
        if not is_being_undone(record):
            return  # another process has given it up
        async with db.dedicated() as lock_session:
            if await try_lock(lock_session, import_key(record.file, record.owner)):
                await remove_or_fail(db, import_id, limits)
                return
        await asyncio.sleep(POLL_SECONDS)


async def remove_or_fail(db: Database, import_id: int, limits: UndoLimits) -> None:
    """Delete what the import has stored. An error that comes again with each retry ends the undo instead."""
    from db.queries import undo

    try:
        await remove_import(db, import_id, limits)
    except DATABASE_ERRORS as error:
        if not is_lasting(error):
            raise
        log.log(ERROR, "import_undo_failed", import_id=import_id, cause=describe(error))
        async with db.transaction() as session:
            await undo.fail_undo(session, import_id, describe_failed_undo(error))


async def remove_import(db: Database, import_id: int, limits: UndoLimits) -> None:
    """Delete what the import has stored, span by span. The caller holds its lock."""
    await asyncio.to_thread(import_module, "service.visits.derive")  # with polars, which takes a while
    from db.queries import goods, undo
    from service.visits.goods import reinfer_goods

    heartbeat = asyncio.create_task(send_heartbeats(db, import_id))
    try:
        batch = AdaptiveBatch(1000, limits.span_visits, limits.span_seconds)
        while await remove_span(db, import_id, batch):
            pass
        record = await reload_import(db, import_id)
        if record.imported and not record.dry_run:
            await delete_unvisited_addresses(db)
            await reinfer_goods(db, partial(goods.select_goods_of_import, import_id=import_id))
        async with db.transaction() as session:
            if record.file is not None:
                await undo.restore_position(session, record)
            await undo.mark_undone(session, import_id)
    finally:
        heartbeat.cancel()
        await asyncio.gather(heartbeat, return_exceptions=True)


async def remove_span(db: Database, import_id: int, batch: AdaptiveBatch) -> bool:
    """Delete the last visits of the import. Return whether there are more."""
    from db.queries import undo
    from service.visits import derive

    async with batch.exclusive(db) as session:
        record = await queries.select_import(session, import_id)
        assert record is not None
        if record.status == "undone" or record.first_at is None or record.last_at is None:
            return False
        since = await undo.select_span_start(
            session, import_id, first=record.first_at, last=record.last_at, count=batch.rows
        )
        deleted = await undo.delete_import_visits(
            session, import_id, first=since or record.first_at, last=record.last_at
        )
        await derive.subtract(session, deleted)
        await undo.narrow_import(session, import_id, last=since)
        return since is not None


async def send_heartbeats(db: Database, import_id: int) -> None:
    """Show other processes that the undo is alive, until cancelled."""
    while True:
        async with db.transaction() as session:
            await queries.update_undo_heartbeat(session, import_id)
        await asyncio.sleep(HEARTBEAT_SECONDS)
