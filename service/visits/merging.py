"""Merges live visits into parts, and small parts into larger ones.

A part costs readers and the disk a fraction of what rows cost. Both show the same visits: a merge deletes
what it puts into a part, in one transaction, so nobody sees a visit twice or not at all.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from clock import Clock
from db.database import Database
from db.locks import lock_parts, lock_writers_exclusive
from db.queries.visit_backlog import select_backlog, select_small_parts

if TYPE_CHECKING:
    from db.queries.live_merges import Choice

SOURCES = 4  # times the visits that wait at most are looked at: each source may have some


@dataclass(frozen=True, slots=True)
class MergeLimits:
    """When visits are merged, and how many at a time.

    :param visits: live ones of one source that wait at most; none is younger than `age`
    :param least: live visits of a part: where fewer can be merged, they stay rows for a `pause`
    :param most: live visits that are merged at a time: writers wait while their rows are deleted
    :param small: parts of fewer visits are merged when there are `small_parts`, up to `large` visits
    """

    visits: int = 20_000
    age: timedelta = timedelta(minutes=5)
    least: int = 5000
    pause: timedelta = timedelta(hours=1)
    most: int = 40_000
    small: int = 20_000
    small_parts: int = 8
    large: int = 80_000


LIMITS = MergeLimits()


class RowsChangedError(RuntimeError):
    """Rows that nobody may change have changed."""


@dataclass(slots=True)
class VisitMerger:
    """Merges visits of a database. Its methods but `is_due` are called under the lock of the job.

    :param paused: until when live visits of a source are left alone: too few of those that wait can be merged
    """

    db: Database
    clock: Clock
    limits: MergeLimits = LIMITS
    paused: dict[str, datetime] = field(default_factory=dict, init=False)

    async def is_due(self) -> bool:
        """Return whether there is something to merge."""
        return await self.source_of_backlog() is not None or bool(await self.small_parts())

    async def merge(self) -> None:
        """Merge until nothing is due."""
        from db.queries.small_parts import merge_parts

        while (source := await self.source_of_backlog()) is not None:
            start = time.perf_counter()
            if not await self.merge_live_visits(source):
                self.paused[source] = self.clock() + self.limits.pause
            await asyncio.sleep(time.perf_counter() - start)  # an import stores parts meanwhile
        while groups := await self.small_parts():
            for part_ids in groups:
                async with self.db.transaction() as session:
                    await lock_parts(session)
                    await merge_parts(session, part_ids)

    async def source_of_backlog(self) -> str | None:
        """Return the source of which enough live visits wait; None if there is none."""
        paused = [source for source, until in self.paused.items() if self.clock() < until]
        async with self.db.raw() as raw:
            backlog = await select_backlog(raw, self.before(), SOURCES * self.limits.visits, excluding=paused)
        return backlog[0] if backlog is not None and backlog[1] >= self.limits.visits else None

    async def small_parts(self) -> list[list[int]]:
        """Return groups of small parts that make one each."""
        limits = self.limits
        async with self.db.read() as session:
            return await select_small_parts(
                session, small=limits.small, count=limits.small_parts, large=limits.large
            )

    def before(self) -> datetime:
        return self.clock() - self.limits.age

    async def merge_live_visits(self, source: str) -> int:
        """Make a part of the first live visits of a source. Return how many; 0 if they are too few."""
        from db.queries import live_merges as queries

        choice = queries.Choice(source, self.before(), self.limits.most)
        async with self.db.transaction() as session:
            host = await queries.insert_page_names(session, choice)
        async with self.db.transaction() as session:
            await lock_parts(session)
            await queries.lower_first_products(session, choice)
        return await self.move_rows(choice, host)

    async def move_rows(self, choice: "Choice", host: str) -> int:
        """Put a part in the place of rows.

        Nobody changes or deletes rows without the lock of parts. Whoever stores a visit takes the writers'
        lock before looking for its id among those of merged visits (`is_merged`).
        """
        from db.queries import live_merges as queries

        async with self.db.transaction() as session:
            await lock_parts(session)
            live = await queries.select_part(session, choice, host)
            if live is None or len(live) < self.limits.least:
                return 0
            await queries.insert_live_part(session, live)
            await lock_writers_exclusive(session)
            if await queries.delete_live_rows(session, live) != len(live):
                raise RowsChangedError
        return len(live)
