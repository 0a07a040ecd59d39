"""Events: stored in bulk, listed and streamed newest first."""

import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, cast, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Event
from db.sessions import select_in_batches
from db.sql import statement

COLUMNS = (Event.event_id, Event.user_id, Event.event_type, Event.occurred_at, Event.properties)


@dataclass(slots=True)
class NewEvents:
    """Events as columns of the same length; `properties` are JSON texts of objects, times are aware."""

    event_ids: list[uuid.UUID] = field(default_factory=list)
    user_ids: list[int] = field(default_factory=list)
    event_types: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    properties: list[str] = field(default_factory=list)

    def parameters(self) -> dict[str, Any]:
        return {
            "event_ids": self.event_ids,
            "user_ids": self.user_ids,
            "event_types": self.event_types,
            "times": self.times,
            "properties": self.properties,
        }

    def pick(self, positions: Sequence[int]) -> "NewEvents":
        """Return the events at the positions, from 0."""
        return NewEvents(
            [self.event_ids[position] for position in positions],
            [self.user_ids[position] for position in positions],
            [self.event_types[position] for position in positions],
            [self.times[position] for position in positions],
            [self.properties[position] for position in positions],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """The events of [since, until) that match all fields but those that are None.

    `properties` are JSON values by name; the property of an event must be one of its name's values.
    """

    user_id: int | None = None
    event_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    properties: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.user_id is not None:
            conditions.append(Event.user_id == self.user_id)
        if self.event_type is not None:
            conditions.append(Event.event_type == self.event_type)
        if self.since is not None:
            conditions.append(Event.occurred_at >= self.since)
        if self.until is not None:
            conditions.append(Event.occurred_at < self.until)
        return conditions + [has_property(name, values) for name, values in self.properties.items()]


def has_property(name: str, values: Sequence[Any]) -> ColumnElement[bool]:
    """Make the condition that a property is one of the JSON values."""
    return or_(*(has_value(name, value) for value in values))


def has_value(name: str, value: Any) -> ColumnElement[bool]:
    """Make the condition that a property is a JSON value.

    The index knows containment, which also matches lists and objects that hold more than the value. Only for
    them is equality added: the planner would multiply the odds of both conditions and expect too few rows.
    """
    contained = Event.properties.contains(cast({name: value}, JSONB))
    if not isinstance(value, dict | list):
        return contained
    return contained & (Event.properties[name] == cast(value, JSONB))


async def insert_events(session: AsyncSession, new: NewEvents) -> list[int]:
    """Insert the events whose ids are new. Return the positions of the others, from 0. No id stands twice."""
    positions = await session.scalars(statement("events/insert_events"), new.parameters())
    return [position - 1 for position in positions]


async def select_equal_events(session: AsyncSession, events: NewEvents) -> list[int]:
    """Return the positions, from 0, of the events whose stored rows equal them."""
    positions = await session.scalars(statement("events/equal_events"), events.parameters())
    return [position - 1 for position in positions]


async def stream_events(session: AsyncSession, where: EventFilter) -> AsyncGenerator[Sequence[Row[Any]]]:
    """Yield all matching events, newest first, in batches of rows of `COLUMNS`."""
    async for rows in select_in_batches(session, newest_first(where)):
        yield rows


def newest_first(where: EventFilter) -> Select[Any]:
    """Make the query of the matching events, newest first: rows of `COLUMNS`."""
    query = select(*COLUMNS).order_by(Event.occurred_at.desc(), Event.event_id.desc())
    return query.where(*where.conditions())
