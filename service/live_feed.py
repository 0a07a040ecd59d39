"""What happens right now: visits and events a second over all workers, and running imports.

Each worker counts what it stores in its own memory, which costs the ingest an addition. Once a second, while
there are counts to share or listeners to serve, it adds its counts to the totals in Valkey and reads these.
One task does that, however many listeners there are. While Valkey is away, a worker shows its own counts
alone.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime

from db.models import Import
from db.queries.recent_imports import select_recent_imports
from service.cache import CacheUnavailable
from service.deps import Deps
from service.live_counts import Totals

# KEYS: the totals. ARGV: visits and events to add.
ADD = """
return {redis.call('HINCRBY', KEYS[1], 'visits', ARGV[1]), redis.call('HINCRBY', KEYS[1], 'events', ARGV[2])}
"""
TOTALS = "live:totals"


@dataclass(frozen=True, slots=True, eq=False)
class LiveState:
    """The state of one second. `visits` and `events` are counted since Valkey was started."""

    at: datetime
    visits: int
    events: int
    visits_per_second: float
    events_per_second: float
    imports: list[Import] = field(default_factory=list)


def count_stored(deps: Deps, *, visits: int = 0, events: int = 0) -> None:
    """Count visits and events that were just stored."""
    counts = deps.live
    counts.pending += Totals(visits, events)
    if counts.pending != Totals() and not counts.is_publishing:
        _start_publishing(deps)


async def watch(deps: Deps) -> AsyncGenerator[LiveState]:
    """Yield the current state, and then the state of each second."""
    counts = deps.live
    counts.listeners += 1
    try:
        if not counts.is_publishing:
            _start_publishing(deps)
        elif counts.latest is not None:
            yield counts.latest
        while True:
            # Shielded: all listeners wait for the same future, and one that leaves must not cancel it.
            yield await asyncio.shield(counts.next_state())
    finally:
        counts.listeners -= 1


def _start_publishing(deps: Deps) -> None:
    deps.live.is_publishing = True
    deps.background.spawn(_publish_states(deps), name="live counts")


async def _publish_states(deps: Deps) -> None:
    """Share counts and publish states once a second, until there are neither counts nor listeners."""
    counts = deps.live
    try:
        previous, since = None, time.monotonic()
        while counts.listeners or counts.pending != Totals():
            totals, now = await _share_counts(deps), time.monotonic()
            if counts.listeners:
                counts.publish(await _read_state(deps, totals, previous or totals, now - since))
            previous, since = totals, now
            await asyncio.sleep(counts.timing.interval)
    except BaseException as error:
        counts.fail(error)
        raise
    finally:
        counts.is_publishing, counts.latest = False, None


async def _share_counts(deps: Deps) -> Totals:
    """Add this worker's counts to the totals, and return these."""
    counts = deps.live
    pending, counts.pending = counts.pending, Totals()
    try:
        visits, events = await deps.cache.script(ADD, [TOTALS], [pending.visits, pending.events])
    except CacheUnavailable:
        counts.totals += pending
    else:
        counts.totals = Totals(visits, events)
    return counts.totals


async def _read_state(deps: Deps, totals: Totals, previous: Totals, seconds: float) -> LiveState:
    async with deps.replica.read() as session:
        at, imports = await select_recent_imports(session, deps.live.timing.import_lingers)
    # A Valkey that was restarted counts from 0: the rate must not be negative.
    restarted = totals.visits < previous.visits or totals.events < previous.events
    growth = totals if restarted else totals - previous
    return LiveState(
        at=at,
        visits=totals.visits,
        events=totals.events,
        visits_per_second=round(growth.visits / seconds, 1),
        events_per_second=round(growth.events / seconds, 1),
        imports=imports,
    )
