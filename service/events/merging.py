"""Merges the batches in which events came into parts, and small parts into larger ones.

Statistics read parts quickly, and batches slowly. Both hold the same events: a merge deletes what it puts
into a new part, in one transaction, so that nobody sees an event twice or not at all.
"""

from dataclasses import dataclass

from db.database import Database
from db.queries.event_backlog import Backlog, count_backlog
from db.read_threads import run_while_awaited
from db.sessions import raw_connection


@dataclass(frozen=True, slots=True)
class MergeLimits:
    """When events are merged, and how many at a time.

    :param batches: wait at most, and so do `events` in them
    :param most: events that are taken from batches at a time
    :param small: parts of less events are merged when there are `small_parts`
    """

    batches: int = 64
    events: int = 20_000
    most: int = 200_000
    small: int = 50_000
    small_parts: int = 8

    def has_batches(self, backlog: Backlog) -> bool:
        return backlog.batches >= self.batches or backlog.events >= self.events

    def is_due(self, backlog: Backlog) -> bool:
        return self.has_batches(backlog) or backlog.small_parts >= self.small_parts


LIMITS = MergeLimits()


async def is_due(db: Database, *, limits: MergeLimits = LIMITS) -> bool:
    """Return whether there is something to merge."""
    async with db.read() as session:
        return limits.is_due(await count_backlog(session, small=limits.small))


async def merge_events(db: Database, *, limits: MergeLimits = LIMITS) -> None:
    """Merge until nothing is due. The caller holds the lock of it."""
    while await is_due(db, limits=limits):
        await merge_once(db, limits)


async def merge_once(db: Database, limits: MergeLimits = LIMITS) -> None:
    """Merge the oldest batches into a part; if too few wait, merge small parts."""
    from db.event_parts import merge_columns
    from db.queries import event_columns as queries

    async with db.transaction() as session:
        raw = await raw_connection(session)
        if limits.has_batches(await count_backlog(session, small=limits.small)):
            columns = await queries.take_batches(raw, limits.most)
        else:
            parts = await queries.take_small_parts(raw, limits.small, limits.small_parts)
            columns = await run_while_awaited(lambda _: merge_columns(parts)) if parts else None
        if columns is not None:
            await queries.insert_part(raw, columns)
