"""Days of a time zone, and the instants at which they begin."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
# All visits and events lie between these, which stand in for a period's missing bounds.
FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
LAST_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def start_of_day(day: date, tz: str) -> datetime:
    """Return when the day begins, in UTC: at the first of two midnights, or at the end of a skipped one."""
    return datetime.combine(day, time(), ZoneInfo(tz)).astimezone(UTC)


def start_of_group(group: Any, tz: str) -> Any:
    """Return the instant at which a group of statistics begins if it is a day; else the group as it is."""
    return start_of_day(group, tz) if type(group) is date else group


def day_of(moment: datetime, tz: str) -> date:
    return moment.astimezone(ZoneInfo(tz)).date()


def end_of_day(day: date, tz: str) -> datetime:
    """Return when the day is over for good, in UTC: clocks may go back over its end once more."""
    second_midnight = datetime.combine(day + DAY, time(), ZoneInfo(tz)).replace(fold=1).astimezone(UTC)
    goes_back = day_of(second_midnight - timedelta(microseconds=1), tz) == day
    return second_midnight if goes_back else start_of_day(day + DAY, tz)


def days_between(since: datetime, until: datetime, tz: str) -> Iterator[date]:
    """Yield the days of which [since, until) contains a part, without those that the zone has skipped.

    A clock that goes back over midnight makes a day begin twice, with an end of the day before between. So
    the days of the two ends may not be the first and the last.
    """
    ends = (day_of(since, tz), day_of(until - timedelta(microseconds=1), tz))
    day = min(ends) - DAY
    while day <= max(ends) + DAY:
        start = start_of_day(day, tz)
        has_end_in_range = since <= start < until or since < end_of_day(day, tz) <= until
        if start < start_of_day(day + DAY, tz) and (has_end_in_range or min(ends) <= day <= max(ends)):
            yield day
        day += DAY
