"""Pages of the list of events whose filter names no property, by asyncpg's statements."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import count, islice
from typing import Any

from asyncpg import Connection

from db.queries.events import EventFilter


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as a list shows it."""

    event_id: uuid.UUID
    user_id: int
    event_type: str
    occurred_at: datetime
    properties: dict[str, Any]


CONDITIONS = {
    "user_id": "user_id = {}",
    "event_type": "event_type = {}",
    "since": "occurred_at >= {}",
    "until": "occurred_at < {}",
    "after": "(occurred_at, event_id) < ({}, {})",
}


async def select_event_rows(
    raw: Connection,
    where: EventFilter,
    *,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
) -> list[EventRow]:
    """Select the events of a filter without properties, newest first, that come after the key `after`.

    It goes past SQLAlchemy, at a third of the cost.
    """
    if after is not None and where.until is not None and after[0] < where.until:
        where = replace(where, until=None)  # of two bounds, PostgreSQL may start reading at the later one
    filters = {
        "user_id": where.user_id,
        "event_type": where.event_type,
        "since": where.since,
        "until": where.until,
    }
    values: dict[str, tuple[Any, ...]] = {
        name: (value,) for name, value in filters.items() if value is not None
    }
    if after is not None:
        values["after"] = after
    parameters = [value for each in values.values() for value in each]
    rows = await raw.fetch(page_sql(tuple(values)), limit, offset, *parameters)
    return [EventRow(*row) for row in rows]


@cache
def page_sql(names: tuple[str, ...]) -> str:
    """Make the statement of a page of the events that some of CONDITIONS let through."""
    placeholders = (f"${number}" for number in count(3))
    conditions = [
        template.format(*islice(placeholders, template.count("{}")))
        for template in (CONDITIONS[name] for name in names)
    ]
    return f"""
        SELECT {", ".join(EventRow.__slots__)}
        FROM event
        WHERE {" AND ".join(conditions or ["TRUE"])}
        ORDER BY occurred_at DESC, event_id DESC
        LIMIT $1 OFFSET $2"""  # noqa: S608 - made of the constants above
