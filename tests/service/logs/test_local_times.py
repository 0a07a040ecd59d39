"""Many local times at once, compared with one at a time."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from service.logs.local_times import NAIVE_EPOCH, LocalClock
from service.logs.shop_format import BadLine, to_utc

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LAST_YEAR = NOW.year + 1


ODD_ZONES = (
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Antarctica/Troll",
    "Africa/Cairo",
)


def test_local_times_are_converted_as_one_by_one() -> None:
    rng = Random(1)
    for name in (*ODD_ZONES, *sorted(available_timezones())[::20]):
        zone = ZoneInfo(name)
        # By chance, and where the clock changes by the table itself.
        clock = LocalClock(zone, LAST_YEAR)
        seconds = [rng.randrange(-86_400, 57 * 366 * 86_400) for _ in range(40)]
        seconds += [int(at) + rng.choice((-3600, -1, 0, 1, 1799, 3600)) for at in clock.changes]
        instants, is_good = clock.to_utc(np.array(seconds, np.int64))
        for second, instant, good in zip(seconds, instants.tolist(), is_good.tolist(), strict=True):
            expected = instant_of(second, zone)
            if expected is None:
                assert not (good and 0 <= instant <= NOW.timestamp() + 86_400), (name, second)
            else:
                assert (instant, good) == (expected, True), (name, second)


def instant_of(second: int, zone: ZoneInfo) -> float | None:
    try:
        return to_utc(NAIVE_EPOCH + timedelta(seconds=second), zone, NOW).timestamp()
    except BadLine:
        return None


def test_a_few_times_in_one_state_of_the_clock_are_converted_like_many() -> None:
    clock = LocalClock(ZoneInfo("Europe/Berlin"), LAST_YEAR)
    gap = (datetime(2018, 3, 25, 2, 30) - NAIVE_EPOCH) // timedelta(seconds=1)
    assert clock.to_utc(np.array([gap], np.int64))[1].tolist() == [False]
    assert clock.to_utc(np.array([gap, gap + 3600], np.int64))[1].tolist() == [False, True]
    assert clock.to_utc(np.zeros(0, np.int64))[1].tolist() == []
