"""Statistics of events: totals by group, active users, top events, retention and funnels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from calendar_days import DAY, FIRST_TIME, LAST_TIME, days_between, start_of_day, start_of_group
from db.database import Database
from db.queries import event_stats as queries
from db.queries.event_stats import Segment, TypeEvents, Windows
from db.queries.events import EventFilter
from service.errors import Invalid

__all__ = ["Segment"]

MAX_DAYS = 36_600  # a hundred years
UNIT_DAYS = {"day": 1, "week": 7}
COLUMNS = {"type": "event_type", "user": "user_id"}  # of groups whose name is not their column's


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
    *,
    group_by: Sequence[str],
    tz: str,
    after: Sequence[Any] | None,
    limit: int,
    offset: int,
    **filters: Any,
) -> list[EventCount]:
    """Count events by group, most events first, then by group; one more than `limit` if more follow."""
    async with db.read() as session:
        rows = await queries.select_event_counts(
            session, EventFilter(**filters), group_by, tz, after=after, limit=limit + 1, offset=offset
        )
    return [_event_count(group_by, tz, row) for row in rows]


def _event_count(group_by: Sequence[str], tz: str, row: Sequence[Any]) -> EventCount:
    *values, events, users = row
    groups = {
        COLUMNS.get(name, name): start_of_group(value, tz)
        for name, value in zip(group_by, values, strict=True)
    }
    key = [value.isoformat() if type(value) is date else value for value in values]
    return EventCount(groups, events, users, [events, *key])


async def count_daily_active_users(
    db: Database, *, since: datetime | None, until: datetime | None, tz: str, segment: Segment
) -> list[ActiveDay]:
    """Count the users of each day of the period. A missing bound is that of the events.

    :raises Invalid: the period is longer than a hundred years
    """
    async with db.read() as session:
        oldest, newest = await queries.select_first_and_last_time(session)
    start = since or oldest
    end = until or (newest and newest + timedelta(microseconds=1))
    if start is None or end is None or start >= end:
        return []
    if end - start > MAX_DAYS * DAY:
        raise Invalid("to: is more than a hundred years after from", errors=[("/to", "is too late")])
    async with db.read() as session:
        rows = await queries.select_daily_active_users(session, start, end, tz, segment)
    users = {row.day: row.users for row in rows}
    return [ActiveDay(start_of_day(day, tz), users.get(day, 0)) for day in days_between(start, end, tz)]


async def list_top_events(
    db: Database, *, since: datetime | None, until: datetime | None, limit: int
) -> list[TypeEvents]:
    """List the event types with most events."""
    async with db.read() as session:
        return await queries.select_top_events(session, since or FIRST_TIME, until or LAST_TIME, limit)


async def count_retention(db: Database, *, start: date, windows: int, unit: str, tz: str) -> list[Cohort]:
    """Count a cohort of new users for each window, and how many came back in each later window."""
    days = UNIT_DAYS[unit]
    # Where a clock goes back over midnight, a part of a day comes after the next day has begun.
    starts = [start_of_day(start + number * days * DAY, tz) for number in range(windows + 1)]
    async with db.read() as session:
        rows = await queries.select_retention(
            session, Windows(start, days, windows, tz, starts[0] - DAY, starts[windows] + DAY)
        )
    users = {(row.cohort, row.later): row.users for row in rows}
    return [
        Cohort(
            starts[cohort],
            users.get((cohort, 0), 0),
            [users.get((cohort, later), 0) for later in range(windows - cohort)],
        )
        for cohort in range(windows)
    ]


async def count_funnel(
    db: Database, *, steps: Sequence[str], within: int, since: datetime | None, until: datetime | None
) -> list[FunnelStep]:
    """Count the users who did each step after the ones before, all within so many seconds of the first."""
    async with db.read() as session:
        users = await queries.select_funnel(
            session, steps, timedelta(seconds=within), since or FIRST_TIME, until or LAST_TIME
        )
    return [
        FunnelStep(number + 1, step, count, round(count / users[0], 4) if users[0] else 0.0)
        for number, (step, count) in enumerate(zip(steps, users, strict=True))
    ]
