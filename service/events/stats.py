"""Statistics of events: totals by group, active users, top events, retention and funnels.

They are counted on columns, by numpy, which is imported where it is used: commands that count nothing do
without.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from calendar_days import DAY, days_between, microseconds, start_of_day
from db.database import Database
from db.event_store import EventStore
from db.queries.events import EventFilter
from db.read_threads import Waiting, run_while_awaited
from service.errors import Invalid
from service.events.windows import Windows

if TYPE_CHECKING:
    from service.events.counting import Groups

MAX_DAYS = 36_600  # a hundred years
UNIT_DAYS = {"day": 1, "week": 7}
COLUMNS = {"type": "event_type", "user": "user_id"}  # of groups whose name is not their column's


@dataclass(frozen=True, slots=True)
class Segment:
    """The events that make a user active: of a type, with one of `values` as the property `name`, or all."""

    event_type: str | None = None
    name: str | None = None
    values: Sequence[Any] = ()

    def filter(self, since: datetime | None, until: datetime | None) -> EventFilter:
        properties = {} if self.name is None else {self.name: self.values}
        return EventFilter(event_type=self.event_type, since=since, until=until, properties=properties)


@dataclass(frozen=True, slots=True)
class TypeEvents:
    event_type: str
    events: int
    users: int


@dataclass(frozen=True, slots=True)
class ActiveDay:
    """The users of a day. `day` is the instant at which it begins."""

    day: datetime
    users: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """The users first seen in the window that begins at `cohort`.

    `retained` is how many of them had events in that window and in each later one.
    """

    cohort: datetime
    size: int
    retained: Sequence[int]


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """The users who did a step, and their share of those who did the first."""

    step: int
    event_type: str
    users: int
    share: float


@dataclass(frozen=True, slots=True)
class EventCount:
    """A group of events. `groups` are its values by column, times as the instants at which they begin.

    `key` is its place in the list, for a cursor.
    """

    groups: Mapping[str, Any]
    events: int
    users: int
    key: Sequence[Any]


async def count_events(
    db: Database,
    store: EventStore,
    *,
    group_by: Sequence[str],
    tz: str,
    after: Sequence[Any] | None,
    limit: int,
    offset: int,
    **filters: Any,
) -> list[EventCount]:
    """Count events by group, most events first, then by group; one more than `limit` if more follow."""
    from service.events import counting
    from service.events.columns import read_events
    from service.events.dimensions import dimension

    events = await read_events(db, store, EventFilter(**filters))

    def count(waiting: Waiting) -> list[EventCount]:
        dimensions = [dimension(events, name, tz, waiting) for name in group_by]
        need = offset + limit + 1 if after is None else None
        groups = counting.count_groups(events, dimensions, waiting, by_user="user" in group_by, need=need)
        last = None if after is None else [after[0], *cursor_labels(group_by, after[1:], events.types)]
        places = counting.page_of(groups, last, limit=limit + 1, offset=offset)
        users = groups.users_at(places).tolist()
        return [
            event_count(group_by, groups, place, count, events.types)
            for place, count in zip(places.tolist(), users, strict=True)
        ]

    return await run_while_awaited(count)


def cursor_labels(group_by: Sequence[str], values: Sequence[Any], types: Sequence[str]) -> list[Any]:
    """Return the labels of a cursor's group; that of a type which is gone lies between two others."""
    from service.events import counting

    labels: list[Any] = []
    for name, value in zip(group_by, values, strict=False):
        if name == "type":
            place = bisect_left(types, value)
            labels.append(place if types[place : place + 1] == [value] else place - 0.5)
        elif name == "hour":
            labels.append(microseconds(value))
        else:
            labels.append(value if name == "user" else counting.day_number(value))
    return labels


def event_count(
    group_by: Sequence[str], groups: "Groups", place: int, users: int, types: Sequence[str]
) -> EventCount:
    """Return the group at a place."""
    values: dict[str, Any] = {}
    key: list[Any] = [int(groups.events[place])]
    for name, dimension, codes in zip(group_by, groups.dimensions, groups.codes, strict=True):
        code = int(codes[place])
        if dimension.slices is None:
            value: Any = types[code] if name == "type" else int(dimension.labels[code])
            key.append(value)
        else:
            value = dimension.slices.begin_of(code)
            key.append(value if name == "hour" else dimension.slices.day_of(code).isoformat())
        values[COLUMNS.get(name, name)] = value
    return EventCount(values, key[0], users, key)


async def count_daily_active_users(
    db: Database,
    store: EventStore,
    *,
    since: datetime | None,
    until: datetime | None,
    tz: str,
    segment: Segment,
) -> list[ActiveDay]:
    """Count the users of each day of the period. A missing bound is that of the events.

    :raises Invalid: the period is longer than a hundred years
    """
    from service.events import counting
    from service.events.columns import read_events

    events = await read_events(db, store, segment.filter(since, until))
    start = since or events.first
    end = until or (events.last and events.last + timedelta(microseconds=1))
    if start is None or end is None or start >= end:
        return []
    if end - start > MAX_DAYS * DAY:
        raise Invalid("to: is more than a hundred years after from", errors=[("/to", "is too late")])
    users = await run_while_awaited(lambda waiting: counting.count_days(events, tz, waiting))
    return [
        ActiveDay(start_of_day(day, tz), users.get(counting.day_number(day), 0))
        for day in days_between(start, end, tz)
    ]


async def list_top_events(
    db: Database, store: EventStore, *, since: datetime | None, until: datetime | None, limit: int
) -> list[TypeEvents]:
    """List the event types with most events."""
    rows = await count_events(
        db, store, group_by=["type"], tz="UTC", after=None, limit=limit, offset=0, since=since, until=until
    )
    return [TypeEvents(row.groups["event_type"], row.events, row.users) for row in rows[:limit]]


async def count_retention(
    db: Database, store: EventStore, *, start: date | datetime, windows: int, unit: str, tz: str
) -> list[Cohort]:
    """Count a cohort of new users for each window, and how many came back in each later window.

    :param start: an instant, or a day of the zone
    """
    from service.events.cohorts import count_cohorts
    from service.events.columns import read_events

    periods = Windows.begin_at(start, days=UNIT_DAYS[unit], count=windows, tz=tz)
    events = await read_events(db, store, EventFilter())
    users = await run_while_awaited(lambda waiting: count_cohorts(events, periods, waiting))
    return [
        Cohort(
            periods.begin_of(cohort),
            users.get((cohort, 0), 0),
            [users.get((cohort, later), 0) for later in range(windows - cohort)],
        )
        for cohort in range(windows)
    ]


async def count_funnel(
    db: Database,
    store: EventStore,
    *,
    steps: Sequence[str],
    within: int,
    since: datetime | None,
    until: datetime | None,
) -> list[FunnelStep]:
    """Count the users who did each step after the ones before, all within so many seconds of the first."""
    from service.events.columns import read_events
    from service.events.funnel import count_steps

    events = await read_events(db, store, EventFilter(since=since, until=until))
    users = await run_while_awaited(lambda waiting: count_steps(events, steps, within * 1_000_000, waiting))
    return [
        FunnelStep(number + 1, step, count, round(count / users[0], 4) if users[0] else 0.0)
        for number, (step, count) in enumerate(zip(steps, users, strict=True))
    ]
