"""Events: taken in bulk, each with its own verdict; listed and exported."""

import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from db.database import Database
from db.queries import events as queries
from db.queries.event_pages import select_events
from db.queries.events import EventFilter, NewEvents
from service.deps import Deps
from service.live_feed import count_stored
from telemetry.metrics import count_taken

__all__ = ["NewEvents"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the event at `index` of a batch: duplicate, conflict or invalid.

    `errors` are (JSON pointer, detail) pairs. The id of an invalid event is None if it can't be read.
    """

    index: int
    status: str
    event_id: uuid.UUID | None
    errors: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class EventBatch:
    """A batch as it was read: the good events, their places in the batch, and the verdicts on the others."""

    events: NewEvents = field(default_factory=NewEvents)
    indexes: list[int] = field(default_factory=list)
    invalid: list[Verdict] = field(default_factory=list)

    @property
    def received(self) -> int:
        return len(self.indexes) + len(self.invalid)

    def keep(
        self,
        index: int,
        *,
        event_id: uuid.UUID,
        user_id: int,
        event_type: str,
        occurred_at: datetime,
        properties: str,
    ) -> None:
        """Add a good event. `properties` is the JSON text of an object, `occurred_at` aware."""
        events = self.events
        self.indexes.append(index)
        events.event_ids.append(event_id)
        events.user_ids.append(user_id)
        events.event_types.append(event_type)
        events.times.append(occurred_at)
        events.properties.append(properties)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts that add up to `received`; `results` are all but the created, in order of the batch."""

    received: int
    created: int
    duplicates: int
    conflicts: int
    invalid: int
    results: Sequence[Verdict]


async def create_events(deps: Deps, batch: EventBatch) -> Outcome:
    """Store the good events. An id that is known, from this batch or before, is a duplicate or a conflict.

    They are stored together or not at all. Judging the others comes after: an event never changes.
    """
    known: list[int] = []
    same: set[int] = set()
    if batch.indexes:
        firsts, repeated = _split_repeated(batch.events.event_ids)
        new = batch.events.pick(firsts) if repeated else batch.events
        async with deps.db.autocommit() as session:
            known = [firsts[place] for place in await queries.insert_events(session, new)] + repeated
    if known:
        async with deps.db.read() as session:
            same = {known[at] for at in await queries.select_same_events(session, batch.events.pick(known))}
    created = len(batch.indexes) - len(known)
    count_taken("events", created)
    count_stored(deps, events=created)
    verdicts = [_verdict(batch, place, "duplicate" if place in same else "conflict") for place in known]
    return Outcome(
        received=batch.received,
        created=created,
        duplicates=len(same),
        conflicts=len(known) - len(same),
        invalid=len(batch.invalid),
        results=sorted([*verdicts, *batch.invalid], key=lambda verdict: verdict.index),
    )


def _verdict(batch: EventBatch, place: int, status: str) -> Verdict:
    return Verdict(batch.indexes[place], status, batch.events.event_ids[place])


def _split_repeated(event_ids: Sequence[uuid.UUID]) -> tuple[Sequence[int], list[int]]:
    """The places of each id's first event, and those of the later ones."""
    if len(set(event_ids)) == len(event_ids):
        return range(len(event_ids)), []
    first = {event_id: place for place, event_id in reversed(list(enumerate(event_ids)))}
    repeated = [place for place, event_id in enumerate(event_ids) if first[event_id] != place]
    return sorted(first.values()), repeated


async def list_events(
    db: Database,
    *,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
    **filters: Any,
) -> Sequence[Any]:
    """Newest first; one more than `limit` if more follow. `filters` are those of EventFilter."""
    asked = EventFilter(**filters)
    # By property it takes several statements, and plans of their own.
    async with db.transaction() if asked.properties else db.read() as session:
        return await select_events(session, asked, after=after, limit=limit + 1, offset=offset)


async def export_events(db: Database, **filters: Any) -> AsyncGenerator[Sequence[Any]]:
    """All of them, newest first, as they are at one moment: in batches, held open until the last is taken."""
    async with db.dedicated() as session:
        async for rows in queries.stream_events(session, EventFilter(**filters)):
            yield rows
