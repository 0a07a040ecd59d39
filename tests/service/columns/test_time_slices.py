"""Slices of time, held to what Python's clock of the zone shows."""

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from api.time_zones import is_time_zone
from calendar_days import EPOCH, clock_changes, start_of_day
from tests.support.examples import examples
from time_slices import time_slices

ZONES = sorted(
    name for name in (files("tzdata") / "zones").read_text(encoding="utf-8").split() if is_time_zone(name)
)
FIRST, LAST = 0, int((datetime(2037, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
spans = st.tuples(st.integers(FIRST, LAST), st.integers(0, 400 * 86_400))


def begin_of(unit: str, instant: datetime, tz: str) -> datetime:
    """Return the start of the group that an instant is in, by stepping back, or by its local date."""
    zone = ZoneInfo(tz)
    local = instant.astimezone(zone)
    if unit == "hour":
        begin, hour = instant, local.hour
        for seconds in (60, 1):  # minutes, then seconds
            while begin.astimezone(zone).minute or begin.astimezone(zone).second:
                before = begin - timedelta(seconds=seconds)
                local = before.astimezone(zone)
                if local.utcoffset() != begin.astimezone(zone).utcoffset() or local.hour != hour:
                    break
                begin = before
        return begin
    day: date = local.date()
    first = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[unit]
    return start_of_day(first, tz)


@given(
    st.sampled_from(ZONES),
    st.sampled_from(("hour", "day", "week", "month")),
    spans,
    st.lists(st.floats(0, 1), min_size=1, max_size=8),
)
@settings(max_examples=examples(150))
def test_each_instant_is_in_the_group_that_the_local_clock_shows(
    tz: str, unit: str, span: tuple[int, int], shares: list[float]
) -> None:
    first, length = span
    slices = time_slices(unit, tz, first * 1_000_000, (first + length) * 1_000_000)
    changes = [change for year in (2018, 2024) for change in clock_changes(tz, year)]
    instants = [first + int(share * length) for share in shares]
    instants += [
        each + more for each in changes for more in (-1, 0) if first <= each - 1 and each <= first + length
    ]
    for second in instants:
        place = int(np.searchsorted(slices.begins, second * 1_000_000, "right")) - 1
        begin = slices.begin_of(int(slices.groups[place]))
        assert begin == begin_of(unit, EPOCH + timedelta(seconds=second), tz), EPOCH + timedelta(
            seconds=second
        )


def test_a_repeated_half_hour_is_an_hour_of_its_own() -> None:
    begin, end = (int((datetime(2018, 3, 31, hour, tzinfo=UTC) - EPOCH).total_seconds()) for hour in (13, 17))
    slices = time_slices("hour", "Australia/Lord_Howe", begin * 1_000_000, end * 1_000_000)
    hours = [f"{slices.begin_of(group):%H:%M}" for group in range(len(slices.labels))]
    assert hours[-5:] == ["13:00", "14:00", "15:00", "15:30", "16:30"]
