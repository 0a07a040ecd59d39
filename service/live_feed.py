"""What happens right now: visits and events a second over all workers, and imports under way.

Every worker counts what it stores in its own memory, which costs the ingest an addition. Once a second, while
there is something to add or somebody to tell, it adds its counts to those of all in Valkey and reads their
totals. One task does that, however many listen. While Valkey is away a worker tells of its own counts alone.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from db.models import Import
from db.queries.recent_imports import select_recent_imports
from service.cache import CacheUnavailable
from service.deps import Deps
from service.live_counts import Totals

TICK = 1.0  # seconds
STILL_SHOWN = timedelta(seconds=10)  # for which an import that has ended is told of

# KEYS: the totals. ARGV: visits and events to add.
ADD = """
return {redis.call('HINCRBY', KEYS[1], 'visits', ARGV[1]), redis.call('HINCRBY', KEYS[1], 'events', ARGV[2])}
"""
TOTALS = "live:totals"


@dataclass(frozen=True, slots=True, eq=False)
class LiveState:
    """One second: `visits` and `events` count from the start of Valkey, and the rates are their growth."""

    at: datetime
    visits: int
    events: int
    visits_per_second: float
    events_per_second: float
    imports: list[Import] = field(default_factory=list)


def count_stored(deps: Deps, *, visits: int = 0, events: int = 0) -> None:
    """Count what was just stored, for those who listen."""
    counts = deps.live
    counts.pending += Totals(visits, events)
    if counts.pending != Totals() and not counts.telling:
        _start(deps)


async def watch(deps: Deps) -> AsyncGenerator[LiveState]:
    """The state at once, and then each second's, until the caller has enough of it."""
    counts = deps.live
    counts.listeners += 1
    try:
        if not counts.telling:
            _start(deps)
        elif counts.latest is not None:
            yield counts.latest
        while True:
            # Shielded: all who listen wait for the same future, and one that leaves must not cancel it.
            yield await asyncio.shield(counts.next_state())
    finally:
        counts.listeners -= 1


def _start(deps: Deps) -> None:
    deps.live.telling = True
    deps.background.spawn(_tell(deps), name="live counts")


async def _tell(deps: Deps) -> None:
    """Tell those who listen once a second. Ends when nobody does and nothing is left to be added."""
    counts = deps.live
    try:
        previous, since = None, time.monotonic()
        while counts.listeners or counts.pending != Totals():
            totals, now = await _share(deps), time.monotonic()
            if counts.listeners:
                counts.publish(await _state(deps, totals, previous or totals, now - since))
            previous, since = totals, now
            await asyncio.sleep(TICK)
    except BaseException as error:
        counts.fail(error)
        raise
    finally:
        counts.telling, counts.latest = False, None


async def _share(deps: Deps) -> Totals:
    """Add this worker's counts to those of all; the totals."""
    counts = deps.live
    mine, counts.pending = counts.pending, Totals()
    try:
        visits, events = await deps.cache.script(ADD, [TOTALS], [mine.visits, mine.events])
    except CacheUnavailable:
        counts.totals += mine
    else:
        counts.totals = Totals(visits, events)
    return counts.totals


async def _state(deps: Deps, totals: Totals, previous: Totals, seconds: float) -> LiveState:
    async with deps.replica.read() as session:
        at, imports = await select_recent_imports(session, STILL_SHOWN)
    # A Valkey that was started anew counts from 0 again: that is no negative rate.
    grown = (
        totals if totals.visits < previous.visits or totals.events < previous.events else totals - previous
    )
    return LiveState(
        at=at,
        visits=totals.visits,
        events=totals.events,
        visits_per_second=round(grown.visits / seconds, 1),
        events_per_second=round(grown.events / seconds, 1),
        imports=imports,
    )
