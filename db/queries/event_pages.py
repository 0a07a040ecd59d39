"""Pages of the list of events, newest first, each in a few milliseconds of millions of events.

Every filter but that of a property has an index in the list's order. For properties there is one that finds
all events of a value, in no order: if they are many, sorting them for the newest takes long, and if they are
few, so does reading the newest events until there are enough. So a page is looked for in windows of time,
where PostgreSQL joins that index with the ranges of times, and among all the rest once windows have told that
the value is rare, or once little is left.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, not_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import FORCE_CUSTOM_PLAN, force_custom_plan
from db.models import Event
from db.queries.events import EventFilter, newest_first

Key = tuple[datetime, uuid.UUID]

BEGIN_OF_TIME = datetime.min.replace(tzinfo=UTC)

COUNTED = 5000
STRAGGLERS = 0.2  # of those: so many are taken into the window before them, and have none of their own
FIRST_GROWTH = 8  # how many times as long the first window is as so many events take
MAX_WINDOWS = 3
LEAST_GROWTH, MOST_GROWTH = 4.0, 50.0  # how many times as long a window is as the one before
FARTHEST = 2000  # events of a property that windows may be expected to hold


async def select_events(
    session: AsyncSession,
    asked: EventFilter,
    *,
    after: Key | None,
    limit: int,
    offset: int,
    counted: int = COUNTED,
) -> Sequence[Row[Any]]:
    """Newest first, from the key `after` on: rows of `COLUMNS`. With properties, in a transaction.

    :param counted: events that are counted, whatever their properties, to know how long a window must be
    """
    reach = offset + limit
    if asked.properties and asked.user_id is None and reach <= FARTHEST:
        return (await select_by_windows(session, asked, after, reach, counted))[offset:]
    if asked.properties:
        await force_custom_plan(session)
    rows: Sequence[Row[Any]] = (
        await session.execute(page_of(asked, after).limit(limit).offset(offset))
    ).all()
    return rows


async def select_by_windows(
    session: AsyncSession, asked: EventFilter, after: Key | None, limit: int, counted: int
) -> list[Row[Any]]:
    """The windows do not overlap: an event that comes meanwhile is there once or, as if late, not at all."""
    found: list[Row[Any]] = []
    times = await select_times(session, asked, after, counted)
    if times is None:
        return found
    end, begin = times.newest, earlier(times.newest, times.first_window)
    for _ in range(MAX_WINDOWS):
        if begin <= times.nearly_oldest:
            asked = replace(asked, since=times.oldest)  # PostgreSQL takes it for a window only with a bound
            break
        page = page_of(replace(asked, since=begin), after).limit(limit - len(found))
        rows = (await session.execute(page)).all()
        found += rows
        missing = limit - len(found)
        if not missing:
            return found
        asked, after = replace(asked, until=begin), None
        if len(rows) * MOST_GROWTH < missing:
            break
        growth = max(LEAST_GROWTH, 2 * missing / len(rows))
        end, begin = begin, earlier(begin, (end - begin) * growth)
    rest = await session.execute(page_of(asked, after).limit(limit - len(found)))
    return [*found, *rest]


@dataclass(frozen=True, slots=True)
class Times:
    """Of the events behind a key, whatever their properties: few are older than `nearly_oldest`."""

    oldest: datetime
    nearly_oldest: datetime
    newest: datetime
    first_window: timedelta  # all of it, if there are few


async def select_times(
    session: AsyncSession, asked: EventFilter, after: Key | None, counted: int
) -> Times | None:
    """None if there are no events. The transaction's next statements are planned for their values."""
    columns = (Event.occurred_at, Event.event_id)
    times = select(Event.occurred_at).where(*place_of(replace(asked, properties={}), after)).limit(1)
    backwards = times.order_by(*(column.desc() for column in columns))
    forwards = times.order_by(*columns)
    asking = select(
        FORCE_CUSTOM_PLAN,
        forwards.scalar_subquery(),
        forwards.offset(int(counted * STRAGGLERS)).scalar_subquery(),
        backwards.scalar_subquery(),
        backwards.offset(counted - 1).scalar_subquery(),
    )
    _, oldest, nearly_oldest, newest, last_counted = (await session.execute(asking)).one()
    if newest is None:
        return None
    if last_counted is None:
        return Times(oldest, oldest, newest, newest - oldest)
    return Times(oldest, nearly_oldest, newest, (newest - last_counted) * FIRST_GROWTH)


def earlier(time: datetime, span: timedelta) -> datetime:
    return time - min(span, time - BEGIN_OF_TIME)


def page_of(asked: EventFilter, after: Key | None) -> Select[Any]:
    return newest_first(EventFilter()).where(*place_of(asked, after))


def place_of(asked: EventFilter, after: Key | None) -> list[ColumnElement[bool]]:
    """The conditions of what follows the key."""
    if after is None:
        return asked.conditions()
    if asked.until is not None and after[0] < asked.until:
        asked = replace(asked, until=None)  # of two bounds, PostgreSQL may begin to read at the later one
    if not asked.properties:
        return [*asked.conditions(), tuple_(Event.occurred_at, Event.event_id) < tuple_(*after)]
    # The index of ranges knows no comparison of rows, and PostgreSQL expects too few events of one.
    known = and_(Event.occurred_at == after[0], Event.event_id >= after[1])
    return [*asked.conditions(), Event.occurred_at <= after[0], not_(known)]
