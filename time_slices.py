"""Hours, days, weeks and months of a time zone, as slices of time. Zones are Python's alone.

Within a slice all instants belong to one group. A group may have several slices: a clock that goes back over
midnight has a day, then the end of the day before again, then the day once more.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from calendar_days import clock_spans, instant, start_of_day

Int64s = npt.NDArray[np.int64]

SECOND = 1_000_000  # microseconds
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND
EPOCH_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class TimeSlices:
    """Slices that follow each other: slice n begins at `begins[n]` and belongs to group `groups[n]`.

    :param begins: microseconds since 1970
    :param groups: indices of `labels`
    :param labels: what stands for a group, in its order: microseconds of an hour, days since 1970 else
    """

    unit: str
    zone: str
    begins: Int64s
    groups: Int64s
    labels: Int64s

    def begin_of(self, group: int) -> datetime:
        """Return the instant at which a group begins."""
        if self.unit == "hour":
            return instant(int(self.labels[group]))
        return start_of_day(self.day_of(group), self.zone)

    def day_of(self, group: int) -> date:
        """Return the day on which a group of days begins."""
        return EPOCH_DAY + timedelta(days=int(self.labels[group]))

    def groups_between(self, first: int, last: int) -> slice:
        """Return the slices in which instants of [first, last] may lie."""
        begin = max(0, int(np.searchsorted(self.begins, first, "right")) - 1)
        return slice(begin, int(np.searchsorted(self.begins, last, "right")))


def time_slices(unit: str, zone: str, first: int, last: int, *, begins_at: int = 0) -> TimeSlices:
    """Return the slices that hold all instants from `first` to `last`, in microseconds since 1970.

    :param begins_at: the time of the clock at which days begin, in microseconds
    """
    begins, labels = [], []
    # The first slice begins where the spans begin: before any hour or day that matters.
    for span in clock_spans(zone, (first - 2 * DAY) // SECOND, last // SECOND):
        begin, end, offset = (each * SECOND for each in (span.begin, span.end, span.ahead))
        offset -= begins_at  # such days are those of a clock that is so far behind
        marks = marks_of(unit, begin + offset, end + offset) - offset
        begins.append(np.maximum(marks, begin))
        labels.append(begins[-1] if unit == "hour" else days_of(unit, begins[-1] + offset))
    names, groups = np.unique(np.concatenate(labels), return_inverse=True)
    return TimeSlices(unit, zone, np.concatenate(begins), groups.reshape(-1), names)


def marks_of(unit: str, begin: int, end: int) -> Int64s:
    """Return where the units of a clock begin, from the one that holds `begin` on to before `end`.

    All are microseconds that this clock shows: as if it were UTC.
    """
    width = HOUR if unit == "hour" else DAY
    marks = np.arange(begin // width, (end - 1) // width + 1) * width
    if unit in ("hour", "day"):
        return marks
    days = days_of(unit, marks)
    return np.asarray(marks[np.insert(days[1:] != days[:-1], 0, True)])


def days_of(unit: str, local: Int64s) -> Int64s:
    """Return the days, since 1970, on which the days, weeks or months of local times begin."""
    days = local // DAY
    if unit == "week":
        return (days + 3) // 7 * 7 - 3  # 1970 began on a Thursday
    if unit == "month":
        months = days.astype("M8[D]").astype("M8[M]")
        firsts: Int64s = months.astype("M8[D]").astype(np.int64)
        return firsts
    return days
