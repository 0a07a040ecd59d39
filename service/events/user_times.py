"""Counts the events of users in hours, days, weeks or months: mostly a few each, in millions of groups."""

from collections.abc import Iterator, Sequence

import numpy as np

from db.array_files import Array
from db.key_counts import first_rows, least_of_frequent
from db.read_threads import Waiting
from service.events.columns import Events
from service.events.dimensions import Dimension, slices_of

SHORT = 1 << 16  # numbers below it are sorted in a third of the time
SPARSE = 2  # users are counted in a table of at most so many times as many places as there are events
OFTEN = 3  # events of a user from which on it is quicker to look first who may have as many
EVENTS = 1 << 18  # that are counted until it is known again how many the last pair needed has

Counts = tuple[Array, Array, Array]


def count_user_times(events: Events, times: Dimension, waiting: Waiting, need: int | None) -> Counts:
    """Return groups of time, users, and how many events each such pair has.

    The events of a group of time stand together, so that few numbers are sorted at a time.

    :param need: of the most frequent pairs; others may be left out. None for all
    """
    pieces: list[Counts] = [(np.empty(0, np.int64),) * 3]
    users, begins = users_by_time(events, times, waiting)
    least = 1  # what the last of the pairs needed has, as far as is known
    for first, last in spans_of(begins):
        waiting.check()
        for group in range(first, last):
            some, counts = count_users_of(users[begins[group] : begins[group + 1]], events.users, least)
            pieces.append((np.full(len(some), group), some, counts))
        if need is not None:
            pieces = [most_frequent(*merge_counts(pieces), need)]
            counts = pieces[0][2]
            least = int(counts.min()) if len(counts) >= need else 1
    return merge_counts(pieces)


def merge_counts(pieces: Sequence[Counts]) -> Counts:
    """Return one piece for several."""
    groups, users, counts = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return groups, users, counts


def users_by_time(events: Events, times: Dimension, waiting: Waiting) -> tuple[Array, Array]:
    """Return the users of all events by group of time, and where each group begins; last the end of all."""
    slices = times.slices
    assert slices is not None
    totals = np.zeros(times.size + 1, np.int64)
    for block in events.blocks(waiting):
        for group, rows in slices_of(slices, block):
            totals[group + 1] += rows.stop - rows.start
    begins = np.cumsum(totals)
    users = np.empty(int(begins[-1]), np.uint16 if events.users <= SHORT else np.uint32)
    ends = begins.tolist()
    for block in events.blocks(waiting):
        user = block.user
        for group, rows in slices_of(slices, block):
            begin = ends[group]
            ends[group] = begin + rows.stop - rows.start
            users[begin : ends[group]] = user[rows]
    return users, begins


def spans_of(begins: Array) -> Iterator[tuple[int, int]]:
    """Yield spans of groups that have some EVENTS together, or one group has more."""
    first = 0
    while first < len(begins) - 1:
        last = max(first + 1, int(np.searchsorted(begins, begins[first] + EVENTS, "right")) - 1)
        yield first, last
        first = last


def count_users_of(users: Array, size: int, least: int) -> tuple[Array, Array]:
    """Return the users that are so often among some, whose order may change, and how often each is."""
    if size <= SPARSE * len(users):
        table = np.bincount(users, minlength=size)
        present = np.flatnonzero(table >= least)
        return present, table[present]
    if len(users) < least:
        return users[:0], np.empty(0, np.int64)
    if least >= OFTEN:  # most are not even with those whose last bits are the same
        buckets = users & ((1 << len(users).bit_length()) - 1)
        users = users[np.bincount(buckets).take(buckets) >= least]
    users.sort(kind="stable" if users.dtype == np.uint16 else None)
    # A user is so often there if the row so far behind its first one is its too.
    rows = np.flatnonzero(users[least - 1 :] == users[: len(users) - least + 1])
    begins = rows[first_rows(users[rows])]
    frequent = users[begins]
    if least == 1:
        return frequent, np.diff(begins, append=len(users))
    return frequent, np.searchsorted(users, frequent, "right") - begins


def most_frequent(groups: Array, numbers: Array, counts: Array, need: int | None) -> Counts:
    """Return the `need` most frequent of pairs, all that are as frequent, and perhaps others."""
    if need is None:
        return groups, numbers, counts
    chosen = np.flatnonzero(counts >= least_of_frequent(counts, need))
    return groups[chosen], numbers[chosen], counts[chosen]


def in_order_of(names: Sequence[Dimension], counts: Counts) -> tuple[list[Array], Array]:
    """Return the numbers of pairs by dimension, as these stand in the question, and the events of each."""
    groups, users, events = counts
    is_time = names[0].slices is not None
    return ([groups, users] if is_time else [users, groups]), events
