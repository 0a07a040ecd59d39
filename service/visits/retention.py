"""Deletes visits and events that are too old, by whole months: as if they had never been.

Rows are deleted oldest first, in batches, each in a transaction with all that is derived from them. After a
batch, writers of visits have as long as the batch took. In the end goods whose cart line or pages are deleted
are inferred again, and addresses that no visit has are deleted. If the process dies, another finds that this
is unfinished, and finishes it.

One worker of all servers does it: the one that holds the lock.
"""

import time
from datetime import UTC, datetime, timedelta

import polars as pl
import structlog

from clock import Clock
from db.database import Database, Transaction
from db.locks import RETENTION
from db.queries import goods, retention
from service.background import Schedule, run_periodically
from service.visits import derive
from service.visits.goods import reinfer_goods
from service.visits.pacing import LIMITS, AdaptiveBatch, BatchLimits
from service.visits.removal import delete_unvisited_addresses
from telemetry import metrics

log = structlog.get_logger("trawl.retention")

SCHEDULE = Schedule(every=3600.0, retry=60.0)
BEGIN_OF_TIME = datetime.min.replace(tzinfo=UTC)


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
    start, count, since = time.perf_counter(), 0, BEGIN_OF_TIME
    batch = AdaptiveBatch(1000, limits.visits, limits.lock_seconds)
    while await has_visits(db, since, before):
        async with batch.exclusive(db) as session:
            visits = await delete_batch(session, since, before, batch.rows)
        if visits.is_empty():
            break
        metrics.count_dropped("visits", visits.height)
        count += visits.height
        since = visits["occurred_at"].sort()[-1]
    async with db.read() as session:
        is_unfinished = await retention.is_unfinished(session)
    if is_unfinished:
        await reinfer_goods(db, goods.select_orphaned_goods, most=limits.goods)
        await delete_unvisited_addresses(db, most=limits.addresses)
        async with db.transaction() as session:
            await retention.delete_unfinished(session)
        log_deletion("drop_visits", count, before, start)


async def has_visits(db: Database, since: datetime, before: datetime) -> bool:
    """Return whether there are visits to delete. Mostly there are none, and then no writer should wait."""
    async with db.read() as session:
        return await retention.has_visits(session, since=since, before=before)


async def delete_batch(session: Transaction, since: datetime, before: datetime, count: int) -> pl.DataFrame:
    """Delete the first visits in [since, before), and return them. The caller is the only writer."""
    visits = await retention.delete_oldest_visits(session, since=since, before=before, count=count)
    if not visits.is_empty():
        await retention.insert_unfinished(session, before)
        await derive.subtract(session, visits)
    return visits


async def delete_events(db: Database, before: datetime, limits: BatchLimits) -> None:
    start, total, since = time.perf_counter(), 0, BEGIN_OF_TIME
    while True:
        async with db.transaction() as session:
            count, last = await retention.delete_oldest_events(
                session, since=since, before=before, count=limits.events
            )
        if last is None:
            break
        metrics.count_dropped("events", count)
        total, since = total + count, last
    if total:
        log_deletion("drop_events", total, before, start)


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
