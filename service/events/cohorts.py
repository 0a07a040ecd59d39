"""Counts the users who come back: by the window of their first event, and by later windows."""

import numpy as np

from calendar_days import microseconds
from db.array_files import Array
from db.read_threads import Waiting
from service.events.columns import Events
from service.events.counting import MAX_FLAGS, day_number
from service.events.dimensions import slices_of, time_dimension
from service.events.windows import Windows

NEVER = np.iinfo(np.int64).max


def count_cohorts(events: Events, windows: Windows, waiting: Waiting) -> dict[tuple[int, int], int]:
    """Count the users whose first event of all lies in a window, by window and by later window with events.

    :param events: all, from the first one on
    """
    dimension = time_dimension(events, "day", windows.tz, waiting, begins_at=windows.offset)
    if dimension.slices is None:
        return {}
    window_of = (dimension.labels - day_number(windows.day)) // windows.days
    cohort = np.full(events.users, -1, np.int64)
    first = first_times(events, waiting)
    seen = (first >= microseconds(windows.start)) & (first < NEVER)
    slices = dimension.slices
    groups = slices.groups[np.searchsorted(slices.begins, first[seen], "right") - 1]
    cohort[seen] = window_of[groups]
    cohort[cohort >= windows.count] = -1
    newcomers = np.flatnonzero(cohort >= 0)
    counts: dict[tuple[int, int], int] = {}
    width = max(1, MAX_FLAGS // windows.count)
    for begin in range(0, len(newcomers), width):
        some = newcomers[begin : begin + width]
        column = np.full(events.users, len(some), np.int32)  # the last column is of all others
        column[some] = np.arange(len(some))
        active = np.zeros((windows.count, len(some) + 1), np.bool_)
        for block in events.blocks(waiting):
            user = block.user
            for group, rows in slices_of(slices, block):
                window = window_of[group]
                if 0 <= window < windows.count:
                    active[window][column[user[rows]]] = True
        for number in np.unique(cohort[some]).tolist():
            users = np.count_nonzero(active[number:, :-1][:, cohort[some] == number], axis=1)
            for later, count in enumerate(users.tolist()):
                counts[number, later] = counts.get((number, later), 0) + count
    return counts


def first_times(events: Events, waiting: Waiting) -> Array:
    """Return the time of the first event of each user; NEVER if it has none."""
    first = np.full(events.users, NEVER)
    for block in events.blocks(waiting):
        times = np.full(events.users, NEVER)
        times[block.user[::-1]] = block.occurred[::-1]  # what is written last remains
        np.minimum(first, times, out=first)
    return first
