"""The windows of retention: of some days each, which begin at the same time of a zone's clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Self

from calendar_days import DAY, FIRST_TIME, start_of_day, time_zone


@dataclass(frozen=True, slots=True)
class Windows:
    """`count` windows of `days` each: the first begins at the instant `start`, on the day `day` of the zone.

    :param clock: what the zone's clock says where windows begin; None for where the day does
    """

    start: datetime
    day: date
    clock: time | None
    days: int
    count: int
    tz: str

    @classmethod
    def begin_at(cls, start: date | datetime, *, days: int, count: int, tz: str) -> Self:
        """Return windows whose first begins at an instant, or with a day of the zone."""
        if not isinstance(start, datetime):
            return cls(start_of_day(start, tz), start, None, days, count, tz)
        local = start.astimezone(time_zone(tz))
        return cls(start, local.date(), local.time() or None, days, count, tz)

    @property
    def offset(self) -> int:
        """How long after midnight of the clock windows begin, in microseconds."""
        if self.clock is None:
            return 0
        since_midnight = datetime.combine(FIRST_TIME, self.clock, UTC) - FIRST_TIME
        return since_midnight // since_midnight.resolution

    def begin_of(self, number: int) -> datetime:
        """Return the instant at which a window begins; the first has number 0."""
        if number == 0:
            return self.start
        day = self.day + number * self.days * DAY
        if self.clock is None:
            return start_of_day(day, self.tz)
        return datetime.combine(day, self.clock, time_zone(self.tz)).astimezone(UTC)
