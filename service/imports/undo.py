"""Cancels imports, and undoes them: as if they had never been.

Visits go in spans of time, newest first, each in a transaction with all that follows from them: what is left
is at any moment what the visits that are left add up to. Whoever stores visits meanwhile waits for one span,
whose length, and the rest after it, service/visits/pacing.py says. When the visits are gone,
addresses that nobody uses go too, goods are learned anew, and the file's position is put back. If the process
dies, another goes on.

A line that stood in two imports is the one's which stored it: undoing that one takes it away.
"""

import asyncio
from functools import partial
from importlib import import_module

from db.database import Database
from db.locks import import_key, try_lock
from db.models import Import
from db.queries import imports as queries
from service.background import Background
from service.clock import Clock
from service.errors import Conflict, NotFound
from service.imports.record import read_import
from service.imports.run import BEAT_SECONDS
from service.visits.pacing import AdaptiveBatch
from service.visits.removal import drop_unvisited_addresses

SPAN_VISITS = 20_000  # at most, at a time
WAIT_SECONDS = 5.0  # for which a caller is kept waiting
POLL_SECONDS = 0.05


async def delete_import(db: Database, background: Background, import_id: int, *, clock: Clock) -> Import:
    """Cancel an import that runs, undo one that has ended.

    Answers with its row when that is done, or goes on in the background. Raises NotFound, and Conflict
    `import_running` while another import of the same file runs.
    """
    async with db.transaction() as session:
        cancelled = await queries.cancel_running_import(session, import_id, at=clock())
        if cancelled is not None:
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
    task = background.spawn(undo_import(db, import_id), name=f"undoing import {import_id}")
    await asyncio.wait([task], timeout=WAIT_SECONDS)
    if task.done():
        task.result()
    return await read_import(db, import_id)


def is_under_way(record: Import) -> bool:
    """Whether the import is being undone."""
    return record.undo_at is not None and record.status != "undone"


async def undo_import(db: Database, import_id: int) -> None:
    """Undo an import that is to be undone, once nobody works on its file, or wait until others have."""
    while True:
        record = await read_import(db, import_id)
        if record.status == "undone":
            return
        async with db.dedicated() as lock:
            if await try_lock(lock, import_key(record.file, record.owner)):
                await remove_import(db, import_id)
                return
        await asyncio.sleep(POLL_SECONDS)


async def remove_import(db: Database, import_id: int) -> None:
    """Take away, span after span, what the import has brought. The caller holds its lock."""
    await asyncio.to_thread(import_module, "service.visits.derive")  # with polars, which takes a while
    from db.queries import undo
    from service.visits.goods import learn_goods_anew

    beating = asyncio.create_task(beat(db, import_id))
    try:
        batch = AdaptiveBatch(1000, SPAN_VISITS)
        while await remove_span(db, import_id, batch):
            pass
        removed = await read_import(db, import_id)
        if removed.imported and not removed.dry_run:
            await drop_unvisited_addresses(db)
            await learn_goods_anew(db, partial(undo.select_taught_goods, import_id=import_id))
        async with db.transaction() as session:
            record = await queries.select_import(session, import_id)
            assert record is not None
            if record.file is not None:
                await undo.restore_position(session, record)
            await undo.mark_undone(session, import_id)
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def remove_span(db: Database, import_id: int, batch: AdaptiveBatch) -> bool:
    """Take away the import's last visits. Whether there are more."""
    from db.queries import carts, undo, visits

    async with batch.exclusive(db) as session:
        record = await queries.select_import(session, import_id)
        assert record is not None
        if record.status == "undone" or record.first_at is None or record.last_at is None:
            return False
        since = await undo.last_visits_since(
            session, import_id, first=record.first_at, last=record.last_at, count=batch.rows
        )
        gone = await undo.delete_visits(
            session, import_id, first=since or record.first_at, last=record.last_at
        )
        await visits.subtract_from_rollups(session, gone)
        cart_ids = gone["cart_id"].drop_nulls().unique().sort().to_list()
        if cart_ids:
            await carts.replace_carts(session, cart_ids, await undo.select_cart_visits(session, cart_ids))
        await undo.narrow_import(session, import_id, last=since)
        return since is not None


async def beat(db: Database, import_id: int) -> None:
    """Tell the others that the import is being undone."""
    while True:
        async with db.transaction() as session:
            await queries.beat_undo(session, import_id)
        await asyncio.sleep(BEAT_SECONDS)
