"""Cancels imports, and undoes them, as if they had never been.

Parts are deleted, the newest first, some in a transaction with the roll-ups that count their visits, after
these are taken away from carts (service/visits/parts.py). Live visits are stored meanwhile, and other imports
between two batches. Then unused addresses are deleted, goods are inferred again, and the position in the file
is restored. If the process dies, another resumes the undo.

A line that two imports contain belongs to the one that stored it: undoing that import deletes its visit. The
other file is read anew when it is imported the next time.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from logging import ERROR
from typing import TYPE_CHECKING

import structlog

from clock import Clock
from db.database import DATABASE_ERRORS, Database, Transaction
from db.locks import import_key, try_lock
from db.models import Import
from db.outages import describe, is_lasting
from db.queries import imports as queries
from db.queries import positions, undo
from db.queries.auth_events import Origin, insert_own_event
from service.background import Background
from service.errors import Conflict, NotFound
from service.imports.outcome import describe_failed_undo
from service.imports.record import reload_import
from service.imports.run import HEARTBEAT_SECONDS
from service.visits.pacing import LIMITS, BatchLimits

if TYPE_CHECKING:
    from db.queries.address_countries import AddressCountries

log = structlog.get_logger("trawl.imports")

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class UndoLimits:
    """The limits of batches, and the seconds that a caller waits at most."""

    batches: BatchLimits = LIMITS
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
        if record.file is not None and await queries.select_running_import(
            session, record.file, record.first_line_sha256
        ):
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
            if await lock_file(lock_session, record):
                await remove_or_fail(db, import_id, limits)
                return
        await asyncio.sleep(POLL_SECONDS)


async def lock_file(session: Transaction, record: Import) -> bool:
    """Lock the file of an import at each of its locations; False while another process reads one of them."""
    locations = {record.location or ""}
    if record.file is not None:
        locations |= set(await positions.select_locations(session, record.file, record.first_line_sha256))
    keys = [
        import_key(record.file, record.first_line_sha256, location, record.owner)
        for location in sorted(locations)
    ]
    return all([await try_lock(session, key) for key in keys])


async def remove_or_fail(db: Database, import_id: int, limits: UndoLimits) -> None:
    """Delete what the import has stored. An error that comes again with each retry ends the undo instead."""
    try:
        await remove_import(db, import_id, limits)
    except DATABASE_ERRORS as error:
        if not is_lasting(error):
            raise
        log.log(ERROR, "import_undo_failed", import_id=import_id, cause=describe(error))
        async with db.transaction() as session:
            await undo.fail_undo(session, import_id, describe_failed_undo(error))


async def remove_import(db: Database, import_id: int, limits: UndoLimits) -> None:
    """Delete what the import has stored, batch by batch. The caller holds its lock."""
    await asyncio.to_thread(import_module, "service.visits.parts")  # with numpy, which takes a while
    from db.queries import goods
    from db.queries.address_countries import AddressCountries
    from service.visits.goods import reinfer_goods
    from service.visits.removal import delete_unvisited_addresses

    heartbeat = asyncio.create_task(send_heartbeats(db, import_id))
    try:
        countries = AddressCountries()
        while await remove_batch(db, import_id, limits.batches, countries):
            pass
        record = await reload_import(db, import_id)
        if record.imported and not record.dry_run:
            await delete_unvisited_addresses(db)
            await reinfer_goods(db, partial(goods.select_goods_of_import, import_id=import_id))
        async with db.transaction() as session:
            if record.file is not None:
                await undo.restore_position(session, record)
            if record.imported and not record.dry_run:
                await undo.forget_files_with_duplicates(session, record)
            await undo.mark_undone(session, import_id)
    finally:
        heartbeat.cancel()
        await asyncio.gather(heartbeat, return_exceptions=True)


async def remove_batch(
    db: Database, import_id: int, limits: BatchLimits, countries: "AddressCountries"
) -> bool:
    """Delete some parts of the import, the newest ones, or all. Return whether there may be more."""
    from db.queries.part_columns import select_part_spans
    from service.visits import parts

    async with db.read() as session:
        spans = await select_part_spans(session, import_id=import_id)
    if not spans:
        return False
    with suppress(parts.PartsChangedError):  # others have deleted or stored some meanwhile: look again
        await parts.remove_parts(db, spans, countries, limits)
    return True


async def send_heartbeats(db: Database, import_id: int) -> None:
    """Show other processes that the undo is alive, until cancelled."""
    while True:
        async with db.transaction() as session:
            await queries.update_undo_heartbeat(session, import_id)
        await asyncio.sleep(HEARTBEAT_SECONDS)
