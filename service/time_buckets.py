"""Hours, days, weeks and months of a time zone, each named by the instant at which it begins."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)  # the clocks of all zones change on one, and their hours begin on one
UNITS = ("hour", "day", "week", "month")


def bucket_begins(instants: Sequence[datetime], unit: str, zone: ZoneInfo) -> list[datetime]:
    """For each instant, in UTC, when the hour, day, week or month of the zone that it lies in begins."""
    return [bucket_begin(instant, unit, zone) for instant in instants]


def bucket_begin(instant: datetime, unit: str, zone: ZoneInfo) -> datetime:
    """Weeks begin on Monday. Of an hour that the clock repeats, each time is an hour of its own."""
    local = instant.astimezone(zone)
    if unit == "hour":
        return hour_begin(instant, local, zone)
    local = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)  # of two midnights the first
    if unit == "week":
        local -= timedelta(days=local.weekday())
    elif unit == "month":
        local = local.replace(day=1)
    return local.astimezone(UTC)


def hour_begin(instant: datetime, local: datetime, zone: ZoneInfo) -> datetime:
    """When the clock was last at a full hour, or changed since then: Lord Howe's does by half an hour."""
    begin = instant - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    while begin.astimezone(zone).utcoffset() != local.utcoffset():
        begin += QUARTER
    return begin
