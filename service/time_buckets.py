"""Hours, days, weeks and months of a time zone, each named by the instant at which it begins."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

UNITS = ("hour", "day", "week", "month")


def bucket_begins(instants: Sequence[datetime], unit: str, zone: ZoneInfo) -> list[datetime]:
    """For each instant, in UTC, when the hour, day, week or month of the zone that it lies in begins."""
    return [bucket_begin(instant, unit, zone) for instant in instants]


def bucket_begin(instant: datetime, unit: str, zone: ZoneInfo) -> datetime:
    """Weeks begin on Monday. Hours are cut as the reports cut them: one that the clock repeats is two."""
    local = instant.astimezone(zone)
    if unit == "hour":
        return instant - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    local = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)  # of two midnights the first
    if unit == "week":
        local -= timedelta(days=local.weekday())
    elif unit == "month":
        local = local.replace(day=1)
    return local.astimezone(UTC)
