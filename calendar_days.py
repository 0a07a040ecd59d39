"""Days of a time zone and the instants at which they begin; when its clock changes; instants as numbers.

One table of zones rules: that of the tzdata package. Neither this system's nor PostgreSQL's is ever asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, reset_tzpath

reset_tzpath(())  # without folders of the system zoneinfo reads the package
ZoneInfo.clear_cache()

DAY = timedelta(days=1)
QUARTER = 900  # seconds: what roll-ups count by
STEP = 7 * 86_400  # seconds; no clock has changed twice within them since 1970, and was then what it had been
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# All visits and events lie between these, which stand in for a period's missing bounds.
FIRST_TIME = EPOCH
LAST_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def microseconds(time: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (time - EPOCH) // MICROSECOND


def instant(microseconds: int) -> datetime:
    """Return the time that is so many microseconds after 1970."""
    return EPOCH + microseconds * MICROSECOND


@dataclass(frozen=True, slots=True)
class ClockSpan:
    """Instants [begin, end) in which a zone's clock is so far ahead of UTC. All are seconds since 1970."""

    begin: int
    end: int
    ahead: int

    @property
    def quarters(self) -> tuple[int, int]:
        """Return where the whole quarter hours begin and end; none where hours begin within them."""
        first, last = -(-self.begin // QUARTER) * QUARTER, self.end // QUARTER * QUARTER
        return (first, first) if self.ahead % QUARTER or last < first else (first, last)


def split_quarters(spans: Sequence[ClockSpan]) -> list[tuple[int, int]]:
    """Return the ranges of quarter hours within which a clock changes, or its hours begin.

    :param spans: those of whole quarter hours in all
    """
    ranges, end = [], spans[0].begin
    for first, last in [span.quarters for span in spans if span.quarters[0] < span.quarters[1]]:
        ranges.append((end, first))
        end = last
    ranges.append((end, spans[-1].end))
    return [(begin, end) for begin, end in ranges if begin < end]


def period_before(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Return the equally long period before one; it begins with the year 1 at the earliest."""
    first = datetime.min.replace(tzinfo=UTC)
    return since - min(until - since, since - first), since


def time_zone(name: str) -> ZoneInfo:
    """Return a zone of the table."""
    return ZoneInfo(name)


def clock_spans(tz: str, first: int, last: int) -> Iterator[ClockSpan]:
    """Yield how far a zone's clock is ahead of UTC from one instant to another, in order."""
    zone = time_zone(tz)
    changes = [
        change
        for year in range(year_of(first), year_of(last) + 1)
        for change in clock_changes(tz, year)
        if first < change <= last
    ]
    for begin, end in zip([first, *changes], [*changes, last + 1], strict=True):
        yield ClockSpan(begin, end, seconds_ahead(zone, begin))


@lru_cache(maxsize=4096)
def clock_changes(tz: str, year: int) -> tuple[int, ...]:
    """Return the seconds since 1970 at which a zone's clock changes in a year of UTC."""
    zone, changes = time_zone(tz), []
    begin = int((datetime(year, 1, 1, tzinfo=UTC) - FIRST_TIME).total_seconds())
    end = begin + (374 if year < MAXYEAR else 364) * 86_400
    before = seconds_ahead(zone, begin - 1)
    for step in range(begin, end - STEP, STEP):
        after = seconds_ahead(zone, step + STEP - 1)
        if after != before:
            low, high = step - 1, step + STEP - 1
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if seconds_ahead(zone, middle) == before else (low, middle)
            changes.append(high)
        before = after
    return tuple(change for change in changes if year_of(change) == year)


def year_of(second: int) -> int:
    return (FIRST_TIME + timedelta(seconds=second)).year


def seconds_ahead(zone: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def start_of_day(day: date, tz: str) -> datetime:
    """Return when the day begins, in UTC: at the first of two midnights, or at the end of a skipped one."""
    return datetime.combine(day, time(), time_zone(tz)).astimezone(UTC)


def day_of(moment: datetime, tz: str) -> date:
    return moment.astimezone(time_zone(tz)).date()


def end_of_day(day: date, tz: str) -> datetime:
    """Return when the day is over for good, in UTC: clocks may go back over its end once more."""
    second_midnight = datetime.combine(day + DAY, time(), time_zone(tz)).replace(fold=1).astimezone(UTC)
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
