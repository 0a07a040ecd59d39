"""Deletes visits and events that are too old, by whole months: as if they had never been.

Parts of logs and live visits are deleted oldest first, in batches, each in a transaction with all that is
derived from them. A part with younger visits too is replaced by one of these. After a batch, writers of
visits have as long as the batch took. In the end goods are inferred again, as cart lines or pages may be
deleted that told what they are, and addresses that no visit has are deleted. If the process dies, another
finds that this is unfinished, and finishes it.

One worker of all servers does it: the one that holds the lock.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog

from calendar_days import microseconds
from clock import Clock
from db.database import Database, Transaction
from db.event_parts import EventColumns, merge_columns
from db.locks import EVENT_COLUMNS, RETENTION, lock_job, lock_parts
from db.queries import event_columns, goods, retention
from db.queries.address_countries import AddressCountries
from db.queries.part_columns import PartSpan, select_columns, select_part_spans
from db.sessions import AnyRow, raw_connection
from db.threads import run_in_thread
from service.background import Schedule, run_periodically
from service.visits import derive, parts
from service.visits.goods import reinfer_goods
from service.visits.pacing import LIMITS, AdaptiveBatch, BatchLimits
from service.visits.removal import delete_unvisited_addresses
from telemetry import metrics

log = structlog.get_logger("trawl.retention")

SCHEDULE = Schedule(every=3600.0, retry=60.0)


async def enforce_retention(db: Database, days: int, *, clock: Clock, schedule: Schedule = SCHEDULE) -> None:
    """Delete months when they are older than `days`: now, and then once an hour until cancelled."""

    async def delete_old_months() -> None:
        await delete_before(db, start_of_retention(clock(), days))

    await run_periodically(
        db, delete_old_months, schedule, lock=RETENTION, failure_event="retention_postponed"
    )


def start_of_retention(now: datetime, days: int) -> datetime:
    """Return when the first month (UTC) begins whose last moment is not older than `days`."""
    oldest = now.astimezone(UTC) - timedelta(days=days)
    return oldest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


async def delete_before(db: Database, before: datetime, *, limits: BatchLimits = LIMITS) -> None:
    """Delete visits and events before a moment. The caller holds the lock."""
    await delete_visits(db, before, limits)
    await delete_events(db, before, limits)


async def delete_visits(db: Database, before: datetime, limits: BatchLimits) -> None:
    """Delete visits before a moment, and finish what a process that died has left."""
    start = time.perf_counter()
    count = await delete_old_parts(db, before, limits) + await delete_live_visits(db, before, limits)
    async with db.read() as session:
        is_unfinished = await retention.is_unfinished(session)
    if is_unfinished:
        await reinfer_goods(db, goods.select_all_goods, most=limits.goods)
        await delete_unvisited_addresses(db, most=limits.addresses)
        async with db.transaction() as session:
            await retention.delete_unfinished(session)
        log_deletion("drop_visits", count, before, start)


async def delete_old_parts(db: Database, before: datetime, limits: BatchLimits) -> int:
    """Delete parts before a moment, and what is before it of others. Return how many visits that were."""
    total, countries = 0, AddressCountries()
    until = microseconds(before)
    while True:
        async with db.read() as session:
            spans = (await select_part_spans(session, until=until))[::-1]
        if not spans:
            return total
        async with db.transaction() as session:
            await retention.insert_unfinished(session, before)
        old = [span for span in spans if span.last_at < until]
        # Of live visits one part at a time: writers wait while it is taken away from what they count.
        old = old[:1] if old and old[0].is_live else [span for span in old if not span.is_live]
        with suppress(parts.PartsChangedError):  # an undo was here: look again
            if old:
                count = await parts.remove_parts(db, old, countries, limits)
            else:
                count = await delete_first_visits(db, spans[0], before, countries)
            metrics.count_dropped("visits", count)
            total += count


async def delete_first_visits(
    db: Database, span: PartSpan, before: datetime, countries: AddressCountries
) -> int:
    """Delete those visits of a part that are before a moment; it has some. Return how many."""
    async with db.read() as session:
        visits = await select_columns(session, span)
    if visits is None:
        raise parts.PartsChangedError
    count = int(np.searchsorted(visits["occurred"], microseconds(before)))
    async with db.transaction() as session:
        await lock_parts(session)
        await parts.remove_first_visits(session, span, visits, count, countries)
    return count


async def delete_live_visits(db: Database, before: datetime, limits: BatchLimits) -> int:
    """Delete live visits before a moment, the oldest first. Return how many."""
    total, batch = 0, AdaptiveBatch(1000, limits.visits, limits.lock_seconds)
    while await has_live_visits(db, before):
        async with batch.exclusive(db) as session:
            visits = await delete_batch(session, before, batch.rows)
        metrics.count_dropped("visits", len(visits))
        total += len(visits)
    return total


async def has_live_visits(db: Database, before: datetime) -> bool:
    """Return whether there are visits to delete. Mostly there are none, and then no writer should wait."""
    async with db.read() as session:
        return await retention.has_live_visits(session, before=before)


async def delete_batch(session: Transaction, before: datetime, count: int) -> Sequence[AnyRow]:
    """Delete the first live visits before a moment, and return them. The caller is the only writer."""
    visits = await retention.delete_oldest_live_visits(session, before=before, count=count)
    if visits:
        await retention.insert_unfinished(session, before)
        await derive.subtract(session, visits)
    return visits


async def delete_events(db: Database, before: datetime, limits: BatchLimits) -> None:
    """Delete events before a moment, the oldest first, with their columns."""
    start, total = time.perf_counter(), 0
    async with db.read() as session:
        end = await retention.select_end_of_oldest_events(session, before=before, count=1)
    if end is None:
        return
    async with db.dedicated() as lock_session:
        await lock_job(lock_session, EVENT_COLUMNS)  # nobody merges the columns meanwhile
        while count := await delete_event_batch(db, before, limits.events):
            metrics.count_dropped("events", count)
            total += count
    if total:
        log_deletion("drop_events", total, before, start)


async def delete_event_batch(db: Database, before: datetime, count: int) -> int:
    """Delete some `count` of the first events before a moment, with their columns. Return how many.

    All statements see one moment: events that come in meanwhile stay, and so do their columns.
    """
    async with db.dedicated_snapshot() as session:
        end = await retention.select_end_of_oldest_events(session, before=before, count=count)
        if end is None:
            return 0
        deleted = await retention.delete_events(session, before=end)
        raw = await raw_connection(session)
        parts = await event_columns.take_before(raw, end)
        columns = await run_in_thread(lambda: columns_since(parts, microseconds(end)))
        if columns is not None:
            await event_columns.insert_part(raw, columns)
        return deleted


def columns_since(parts: list[EventColumns], begin: int) -> EventColumns | None:
    """Return what parts hold from a moment on; None if that is nothing."""
    rest = [part for part in (part.since(begin) for part in parts) if len(part)]
    return merge_columns(rest) if rest else None


def log_deletion(kind: str, rows: int, before: datetime, start: float) -> None:
    milliseconds = round((time.perf_counter() - start) * 1000, 2)
    log.info(
        "retention",
        kind=kind,
        status="done",
        rows=rows,
        before=before.isoformat(),
        duration_ms=milliseconds,
    )
