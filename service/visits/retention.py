"""Drops visits and events that are too old, by whole months: as if they had never been.

Rows go in spans of time, oldest first, each in a transaction with all that follows from them, as undoing an
import does; between two spans whoever stores visits has as long as the span took. Then goods are learned anew
whose cart line or pages are gone, and addresses dropped that no visit names. If the process dies, another
finds that they are unfinished, and goes on.

One worker does it, over all nodes: the one that has the lock.
"""

import time
from datetime import UTC, datetime, timedelta

import polars as pl
import structlog

from db.database import Database, Transaction
from db.locks import RETENTION
from db.queries import carts, retention, undo, visits
from service.background import Schedule, run_periodically
from service.clock import Clock
from service.visits.goods import learn_goods_anew
from service.visits.pacing import AdaptiveBatch
from service.visits.pages import is_bare_path
from service.visits.removal import drop_unvisited_addresses
from telemetry import metrics

log = structlog.get_logger("trawl.retention")

# At most, at a time.
VISITS_TOGETHER = 20_000
EVENTS_TOGETHER = 5000

SCHEDULE = Schedule(every=3600.0, retry=60.0)
BEGIN_OF_TIME = datetime.min.replace(tzinfo=UTC)


async def keep_retention(db: Database, days: int, *, clock: Clock, schedule: Schedule = SCHEDULE) -> None:
    """Drop months when they are older than `days`, for ever: now, and once an hour."""

    async def drop_old_months() -> None:
        await drop_before(db, kept_since(clock(), days))

    await run_periodically(db, drop_old_months, schedule, lock=RETENTION, failure_event="retention_postponed")


def kept_since(now: datetime, days: int) -> datetime:
    """When the first month (UTC) begins whose last moment is not older than `days`."""
    oldest = now.astimezone(UTC) - timedelta(days=days)
    return oldest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


async def drop_before(db: Database, before: datetime) -> None:
    """Drop visits and events before a moment. The caller holds the lock."""
    await drop_visits(db, before)
    await drop_events(db, before)


async def drop_visits(db: Database, before: datetime) -> None:
    began, dropped, since = time.perf_counter(), 0, BEGIN_OF_TIME
    batch = AdaptiveBatch(1000, VISITS_TOGETHER)
    while await is_there(db, since, before):
        async with batch.exclusive(db) as session:
            gone = await drop_span(session, since, before, batch.rows)
        if gone.is_empty():
            break
        metrics.count_dropped("visits", gone.height)
        dropped += gone.height
        since = gone["occurred_at"][-1]
    async with db.read() as session:
        unfinished = await retention.is_unfinished(session)
    if unfinished:
        await learn_goods_anew(db, retention.select_untaught_goods)
        await drop_unvisited_addresses(db)
        async with db.transaction() as session:
            await retention.delete_unfinished(session)
        tell("drop_visits", dropped, before, began)


async def is_there(db: Database, since: datetime, before: datetime) -> bool:
    """Whether there are visits to drop: most of the time there are none, and then nobody is to wait."""
    async with db.read() as session:
        return await retention.has_visits(session, since=since, before=before)


async def drop_span(session: Transaction, since: datetime, before: datetime, count: int) -> pl.DataFrame:
    """Drop the first visits in [since, before), in order. Nobody else may be writing."""
    gone = await retention.delete_visits(session, since=since, before=before, count=count)
    if gone.is_empty():
        return gone
    await retention.put_unfinished(session, before)
    await visits.subtract_from_rollups(session, gone)
    live = gone.filter(gone["source"] != "log")
    await retention.subtract_from_pages(session, filter(is_bare_path, live["page_url"]))
    cart_ids = gone["cart_id"].drop_nulls().unique().sort().to_list()
    if cart_ids:
        await carts.replace_carts(session, cart_ids, await undo.select_cart_visits(session, cart_ids))
    return gone.sort("occurred_at")


async def drop_events(db: Database, before: datetime) -> None:
    began, dropped, since = time.perf_counter(), 0, BEGIN_OF_TIME
    while True:
        async with db.transaction() as session:
            count, last = await retention.delete_events(
                session, since=since, before=before, count=EVENTS_TOGETHER
            )
        if last is None:
            break
        metrics.count_dropped("events", count)
        dropped, since = dropped + count, last
    if dropped:
        tell("drop_events", dropped, before, began)


def tell(kind: str, rows: int, before: datetime, began: float) -> None:
    milliseconds = round((time.perf_counter() - began) * 1000, 2)
    log.info(
        "retention",
        kind=kind,
        status="done",
        rows=rows,
        before=before.isoformat(),
        duration_ms=milliseconds,
    )
