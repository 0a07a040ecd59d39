"""Converts many local times at once, by where the clock of a time zone changes."""

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

import numpy as np

from service.logs.chunk_text import Mask, Places

NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - seconds of local time are counted from here
STEP = 7 * 86_400  # no clock has changed twice within a week, and was then what it had been
FIRST_YEAR = 1970
CACHED_ZONES = 16

Offsets = tuple[int, int]
State = tuple[int, Offsets]  # and the local second since 1970 with which it begins


class LocalClock:
    """The clock of a zone, from 1970 to the end of a year.

    It is in one state between two of its changes: its seconds ahead of UTC, or that there is no such time.
    """

    def __init__(self, zone: tzinfo, last_year: int) -> None:
        begin, end = 0, seconds_of(datetime(last_year + 1, 1, 1))  # noqa: DTZ001 - local time
        begin -= STEP  # a local time before 1970 may be an instant after it began
        steps = [(at, offsets_at(zone, at)) for at in range(begin, end + STEP, STEP)]
        states = steps[:1]
        for earlier, later in pairwise(steps):
            states += changes(zone, earlier, later)
        self._end = end
        self.changes = np.array([at for at, _ in states], np.int64)
        self._offsets = np.array([before for _, (before, _) in states], np.int64)
        # A clock that skips a time is less ahead of UTC before it than after.
        self._exists = np.array([before >= after for _, (before, after) in states], np.bool_)

    def to_utc(self, local_seconds: Places) -> tuple[Places, Mask]:
        """Return the instants of local times, and a mask of those that exist.

        A time that comes twice is the first of the two. One that is skipped, or outside the years, is none.
        """
        if not len(local_seconds):
            return local_seconds, np.ones(0, np.bool_)
        first, last = int(local_seconds.min()), int(local_seconds.max())
        state, last_state = np.searchsorted(self.changes, (first, last), side="right") - 1
        if state == last_state and state >= 0 and last < self._end:
            return local_seconds - self._offsets[state], np.full(len(local_seconds), self._exists[state])
        states = np.searchsorted(self.changes, local_seconds, side="right") - 1
        is_good = (states >= 0) & self._exists[states] & (local_seconds < self._end)
        return local_seconds - self._offsets[states], is_good


@lru_cache(CACHED_ZONES)
def local_clock(zone: tzinfo, last_year: int) -> LocalClock:
    return LocalClock(zone, last_year)


def changes(zone: tzinfo, earlier: State, later: State) -> list[State]:
    """Return the states that begin after the earlier one, and up to the later one."""
    if earlier[1] == later[1]:
        return []
    if later[0] - earlier[0] == 1:
        return [later]
    at = (earlier[0] + later[0]) // 2
    middle = at, offsets_at(zone, at)
    return changes(zone, earlier, middle) + changes(zone, middle, later)


def offsets_at(zone: tzinfo, local_second: int) -> Offsets:
    """Return the seconds ahead of UTC of a local time: those before and after a change of the clock at it."""
    local_time = (NAIVE_EPOCH + timedelta(seconds=local_second)).replace(tzinfo=zone)
    before, after = local_time.utcoffset(), local_time.replace(fold=1).utcoffset()
    assert before is not None
    assert after is not None
    return int(before.total_seconds()), int(after.total_seconds())


def seconds_of(local_time: datetime) -> int:
    """Return the seconds of a naive time since 1970."""
    return (local_time - NAIVE_EPOCH) // timedelta(seconds=1)
