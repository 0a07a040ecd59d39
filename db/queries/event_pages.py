"""Pages of the list of events, newest first, each in a few milliseconds of millions of events.

Every filter but that of a property has an index in the order of the list. For properties there is an index
that finds all events of a value, in no order: if they are many, sorting them for the newest takes long, and
if they are few, so does reading the newest events until there are enough. So a page is searched in windows
of time, for which PostgreSQL joins that index with the ranges of times. The rest is searched at once as soon
as the windows have shown that the value is rare, or little is left.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, not_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Event
from db.queries.events import EventFilter, newest_first
from db.sessions import FORCE_CUSTOM_PLAN, force_custom_plan

Key = tuple[datetime, uuid.UUID]

EARLIEST = datetime.min.replace(tzinfo=UTC)

SAMPLE = 5000  # newest events whose span of time sets the first window
STRAGGLERS = 0.2  # of a sample: so few of the oldest events join the window before them
FIRST_GROWTH = 8  # how many times as long as the sample the first window is
MAX_WINDOWS = 3
MIN_GROWTH, MAX_GROWTH = 4.0, 50.0  # how many times as long as the window before a window is
MAX_REACH = 2000  # events of a property that windows may be expected to hold


async def select_events(
    session: AsyncSession,
    where: EventFilter,
    *,
    after: Key | None,
    limit: int,
    offset: int,
    sample: int = SAMPLE,
) -> Sequence[Row[Any]]:
    """Select matching events, newest first, after the key `after`: rows of `COLUMNS`.

    A filter by properties needs a transaction.

    :param sample: newest events, whatever their properties, whose span of time sets the first window
    """
    reach = offset + limit
    if where.properties and where.user_id is None and reach <= MAX_REACH:
        return (await select_by_windows(session, where, after, reach, sample))[offset:]
    if where.properties:
        await force_custom_plan(session)
    rows: Sequence[Row[Any]] = (
        await session.execute(page_query(where, after).limit(limit).offset(offset))
    ).all()
    return rows


async def select_by_windows(
    session: AsyncSession, where: EventFilter, after: Key | None, limit: int, sample: int
) -> list[Row[Any]]:
    """Select the newest matching events, window by window.

    Windows do not overlap: an event stored in the meantime is there once or, as if it came late, not at all.
    """
    events: list[Row[Any]] = []
    times = await select_times(session, where, after, sample)
    if times is None:
        return events
    end, start = times.newest, earlier(times.newest, times.first_window)
    for _ in range(MAX_WINDOWS):
        if start <= times.nearly_oldest:
            where = replace(where, since=times.oldest)  # without a bound PostgreSQL does not use the ranges
            break
        window = page_query(replace(where, since=start), after).limit(limit - len(events))
        rows = (await session.execute(window)).all()
        events += rows
        missing = limit - len(events)
        if not missing:
            return events
        where, after = replace(where, until=start), None
        if len(rows) * MAX_GROWTH < missing:
            break
        growth = max(MIN_GROWTH, 2 * missing / len(rows))
        end, start = start, earlier(start, (end - start) * growth)
    rest = await session.execute(page_query(where, after).limit(limit - len(events)))
    return [*events, *rest]


@dataclass(frozen=True, slots=True)
class Times:
    """Times of the events after a key, whatever their properties. Few are older than `nearly_oldest`."""

    oldest: datetime
    nearly_oldest: datetime
    newest: datetime
    first_window: timedelta  # spans all events if they are few


async def select_times(
    session: AsyncSession, where: EventFilter, after: Key | None, sample: int
) -> Times | None:
    """Return the times that windows are made of; None if there are no events.

    It also has PostgreSQL plan the next statements of the transaction for their values.
    """
    columns = (Event.occurred_at, Event.event_id)
    times = select(Event.occurred_at).where(*page_conditions(replace(where, properties={}), after)).limit(1)
    backwards = times.order_by(*(column.desc() for column in columns))
    forwards = times.order_by(*columns)
    query = select(
        FORCE_CUSTOM_PLAN,
        forwards.scalar_subquery(),
        forwards.offset(int(sample * STRAGGLERS)).scalar_subquery(),
        backwards.scalar_subquery(),
        backwards.offset(sample - 1).scalar_subquery(),
    )
    _, oldest, nearly_oldest, newest, oldest_of_sample = (await session.execute(query)).one()
    if newest is None:
        return None
    if oldest_of_sample is None:
        return Times(oldest, oldest, newest, newest - oldest)
    return Times(oldest, nearly_oldest, newest, (newest - oldest_of_sample) * FIRST_GROWTH)


def earlier(time: datetime, span: timedelta) -> datetime:
    """Subtract a span, but not beyond the first of all times."""
    return time - min(span, time - EARLIEST)


def page_query(where: EventFilter, after: Key | None) -> Select[Any]:
    """Make the query of the matching events after the key, newest first."""
    return newest_first(EventFilter()).where(*page_conditions(where, after))


def page_conditions(where: EventFilter, after: Key | None) -> list[ColumnElement[bool]]:
    """Make the conditions of the matching events after the key."""
    if after is None:
        return where.conditions()
    if where.until is not None and after[0] < where.until:
        where = replace(where, until=None)  # of two bounds, PostgreSQL may start reading at the later one
    if not where.properties:
        return [*where.conditions(), tuple_(Event.occurred_at, Event.event_id) < tuple_(*after)]
    # The index of ranges knows no comparison of rows, and PostgreSQL would expect too few events of one.
    listed_before = and_(Event.occurred_at == after[0], Event.event_id >= after[1])
    return [*where.conditions(), Event.occurred_at <= after[0], not_(listed_before)]
