"""Days of a time zone, and the instants at which they begin."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def begin_of_day(day: date, tz: str) -> datetime:
    """The instant, in UTC, at which the day begins: the first of two midnights, the end of a skipped one."""
    return datetime.combine(day, time(), ZoneInfo(tz)).astimezone(UTC)


def day_of(moment: datetime, tz: str) -> date:
    return moment.astimezone(ZoneInfo(tz)).date()


def days_between(since: datetime, until: datetime, tz: str) -> Iterator[date]:
    """The days of which [since, until) holds a part, without those that the zone has skipped."""
    day, last = day_of(since, tz), day_of(until - timedelta(microseconds=1), tz)
    while day <= last:
        if begin_of_day(day, tz) < begin_of_day(day + DAY, tz):
            yield day
        day += DAY
