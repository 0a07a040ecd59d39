"""Statistics of events: totals by group, active users, top events, retention and funnels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from db.database import Database
from db.queries import event_stats as queries
from db.queries.event_stats import Segment, TypeEvents, Windows
from db.queries.events import EventFilter
from service.calendar_days import DAY, begin_of_day, days_between, instant_of
from service.errors import Invalid

__all__ = ["Segment"]

FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
LAST_TIME = datetime(9998, 1, 1, tzinfo=UTC)
MAX_DAYS = 36_600  # a hundred years
UNIT_DAYS = {"day": 1, "week": 7}
NAMES = {"type": "event_type", "user": "user_id"}  # of groups, where it is not the group's own


@dataclass(frozen=True, slots=True)
class ActiveDay:
    """`day` is the instant at which it begins."""

    day: datetime
    users: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """Users first seen in the window that begins at `cohort`; `retained` in each window from that on."""

    cohort: datetime
    size: int
    retained: Sequence[int]


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """`share` is of the users who did the first step."""

    step: int
    event_type: str
    users: int
    share: float


@dataclass(frozen=True, slots=True)
class EventCount:
    """`groups` by their names, times as the instants at which they begin; `key` is the place in the list."""

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
    """Most events first, then by group; one more than `limit` if more follow."""
    async with db.read() as session:
        rows = await queries.count_events(
            session, EventFilter(**filters), group_by, tz, after=after, limit=limit + 1, offset=offset
        )
    return [_event_count(group_by, tz, row) for row in rows]


def _event_count(group_by: Sequence[str], tz: str, row: Sequence[Any]) -> EventCount:
    *found, events, users = row
    groups = {
        NAMES.get(name, name): instant_of(value, tz) for name, value in zip(group_by, found, strict=True)
    }
    key = [value.isoformat() if type(value) is date else value for value in found]
    return EventCount(groups, events, users, [events, *key])


async def daily_active_users(
    db: Database, *, since: datetime | None, until: datetime | None, tz: str, segment: Segment
) -> list[ActiveDay]:
    """Each day of the period, which is that of the events where a bound is not given.

    :raises Invalid: it is longer than a hundred years
    """
    async with db.read() as session:
        oldest, newest = await queries.select_first_and_last(session)
    begin = since or oldest
    end = until or (newest and newest + timedelta(microseconds=1))
    if begin is None or end is None or begin >= end:
        return []
    if end - begin > MAX_DAYS * DAY:
        raise Invalid("to: is more than a hundred years after from", errors=[("/to", "is too late")])
    async with db.read() as session:
        rows = await queries.daily_active_users(session, begin, end, tz, segment)
    users = {row.day: row.users for row in rows}
    return [ActiveDay(begin_of_day(day, tz), users.get(day, 0)) for day in days_between(begin, end, tz)]


async def top_events(
    db: Database, *, since: datetime | None, until: datetime | None, limit: int
) -> list[TypeEvents]:
    async with db.read() as session:
        return await queries.top_events(session, since or FIRST_TIME, until or LAST_TIME, limit)


async def retention(db: Database, *, start: date, windows: int, unit: str, tz: str) -> list[Cohort]:
    """A cohort for each window, the later ones with fewer windows to be seen in."""
    days = UNIT_DAYS[unit]
    # Where a clock goes back over midnight, a part of a day comes after the begin of the next.
    begins = [begin_of_day(start + number * days * DAY, tz) for number in range(windows + 1)]
    async with db.read() as session:
        rows = await queries.retention(
            session, Windows(start, days, windows, tz, begins[0] - DAY, begins[windows] + DAY)
        )
    users = {(row.cohort, row.later): row.users for row in rows}
    return [
        Cohort(
            begins[cohort],
            users.get((cohort, 0), 0),
            [users.get((cohort, later), 0) for later in range(windows - cohort)],
        )
        for cohort in range(windows)
    ]


async def funnel(
    db: Database, *, steps: Sequence[str], within: int, since: datetime | None, until: datetime | None
) -> list[FunnelStep]:
    """How many users went how far; `within` in seconds."""
    async with db.read() as session:
        users = await queries.funnel(
            session, steps, timedelta(seconds=within), since or FIRST_TIME, until or LAST_TIME
        )
    return [
        FunnelStep(number + 1, step, count, round(count / users[0], 4) if users[0] else 0.0)
        for number, (step, count) in enumerate(zip(steps, users, strict=True))
    ]
