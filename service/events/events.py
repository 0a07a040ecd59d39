"""Events: stored in batches, each with its own verdict; listed and exported."""

import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from db.database import Database
from db.queries import events as queries
from db.queries.event_pages import select_events
from db.queries.event_rows import select_event_rows
from db.queries.events import EventFilter, NewEvents
from service.deps import Deps
from service.live_feed import count_stored
from telemetry.metrics import count_ingested

__all__ = ["NewEvents"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why the event at `index` of a batch was not stored: it is a duplicate, a conflict or invalid.

    `errors` are (JSON pointer, detail) pairs. The id of an invalid event is None if it can't be read.
    """

    index: int
    status: str
    event_id: uuid.UUID | None
    errors: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class EventBatch:
    """A batch that was read: the valid events, their indexes in it, and the verdicts on the invalid ones."""

    events: NewEvents = field(default_factory=NewEvents)
    indexes: list[int] = field(default_factory=list)
    invalid: list[Verdict] = field(default_factory=list)

    @property
    def received(self) -> int:
        return len(self.indexes) + len(self.invalid)

    def add(
        self,
        index: int,
        *,
        event_id: uuid.UUID,
        user_id: int,
        event_type: str,
        occurred_at: datetime,
        properties: str,
    ) -> None:
        """Add the valid event at `index` of the batch.

        :param occurred_at: with its time zone
        :param properties: the JSON text of an object
        """
        events = self.events
        self.indexes.append(index)
        events.event_ids.append(event_id)
        events.user_ids.append(user_id)
        events.event_types.append(event_type)
        events.times.append(occurred_at)
        events.properties.append(properties)


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """Counts that add up to `received`, and the verdicts on all events but the created, in their order."""

    received: int
    created: int
    duplicates: int
    conflicts: int
    invalid: int
    results: Sequence[Verdict]


async def create_events(deps: Deps, batch: EventBatch) -> BatchOutcome:
    """Store the valid events of a batch whose ids are new, all or none of them.

    An event whose id is stored already, or stands earlier in the batch, is a duplicate if the events are
    equal, else a conflict. They are compared after the commit, as a stored event never changes.
    """
    events, existing = batch.events, list[int]()
    duplicates = set[int]()
    if batch.indexes:
        first, repeated = _split_repeated(events.event_ids)
        async with deps.db.autocommit() as session:
            positions = await queries.insert_events(session, events.pick(first) if repeated else events)
        existing = [first[position] for position in positions] + repeated
    if existing:
        async with deps.db.read() as session:
            positions = await queries.select_equal_events(session, events.pick(existing))
        duplicates = {existing[position] for position in positions}
    created = len(batch.indexes) - len(existing)
    count_ingested("events", created)
    count_stored(deps, events=created)
    verdicts = [
        _verdict(batch, position, "duplicate" if position in duplicates else "conflict")
        for position in existing
    ]
    return BatchOutcome(
        received=batch.received,
        created=created,
        duplicates=len(duplicates),
        conflicts=len(existing) - len(duplicates),
        invalid=len(batch.invalid),
        results=sorted([*verdicts, *batch.invalid], key=lambda verdict: verdict.index),
    )


def _verdict(batch: EventBatch, position: int, status: str) -> Verdict:
    return Verdict(batch.indexes[position], status, batch.events.event_ids[position])


def _split_repeated(event_ids: Sequence[uuid.UUID]) -> tuple[Sequence[int], list[int]]:
    """Return the positions of each id's first event, and those of its later ones."""
    if len(set(event_ids)) == len(event_ids):
        return range(len(event_ids)), []
    first = {event_id: position for position, event_id in reversed(list(enumerate(event_ids)))}
    repeated = [position for position, event_id in enumerate(event_ids) if first[event_id] != position]
    return sorted(first.values()), repeated


async def list_events(
    db: Database,
    *,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
    **filters: Any,
) -> Sequence[Any]:
    """List events, newest first; one more than `limit` if more follow. `filters` are those of EventFilter."""
    where = EventFilter(**filters)
    if not where.properties:
        async with db.raw() as raw:
            return await select_event_rows(raw, where, after=after, limit=limit + 1, offset=offset)
    # A filter by property takes several statements, which are planned for its values.
    async with db.transaction() as session:
        return await select_events(session, where, after=after, limit=limit + 1, offset=offset)


async def export_events(db: Database, **filters: Any) -> AsyncGenerator[Sequence[Any]]:
    """Yield all events in batches, newest first, as they are at one moment.

    It holds a connection until the last batch is taken.
    """
    async with db.dedicated() as session:
        async for rows in queries.stream_events(session, EventFilter(**filters)):
            yield rows
