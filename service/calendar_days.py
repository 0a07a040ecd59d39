"""Days of a time zone, and the instants at which they begin."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
# All visits and events lie between these, which stand in for a period's missing bounds.
FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
LAST_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def begin_of_day(day: date, tz: str) -> datetime:
    """The instant, in UTC, at which the day begins: the first of two midnights, the end of a skipped one."""
    return datetime.combine(day, time(), ZoneInfo(tz)).astimezone(UTC)


def instant_of(group: Any, tz: str) -> Any:
    """What a group of statistics is told as: a day by the instant at which it begins, all else as it is."""
    return begin_of_day(group, tz) if type(group) is date else group


def day_of(moment: datetime, tz: str) -> date:
    return moment.astimezone(ZoneInfo(tz)).date()


def end_of_day(day: date, tz: str) -> datetime:
    """The instant, in UTC, at which the day is over for good: clocks may go back over its end once more."""
    second_midnight = datetime.combine(day + DAY, time(), ZoneInfo(tz)).replace(fold=1).astimezone(UTC)
    again = day_of(second_midnight - timedelta(microseconds=1), tz) == day
    return second_midnight if again else begin_of_day(day + DAY, tz)


def days_between(since: datetime, until: datetime, tz: str) -> Iterator[date]:
    """The days of which [since, until) holds a part, without those that the zone has skipped.

    A clock that goes back over midnight makes a day begin twice, with an end of the day before between. So
    the days of the two ends may not be the first and the last.
    """
    ends = (day_of(since, tz), day_of(until - timedelta(microseconds=1), tz))
    day = min(ends) - DAY
    while day <= max(ends) + DAY:
        begins = begin_of_day(day, tz)
        held = since <= begins < until or since < end_of_day(day, tz) <= until
        if begins < begin_of_day(day + DAY, tz) and (held or min(ends) <= day <= max(ends)):
            yield day
        day += DAY
