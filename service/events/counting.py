"""Counts events and their distinct users on columns, exactly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from db.array_files import Array
from db.key_counts import count_frequent, count_keys, least_of_frequent
from db.read_threads import Waiting
from service.events.columns import EventBlock, Events
from service.events.dimensions import Dimension, slices_of, time_dimension
from service.events.user_times import count_user_times, in_order_of
from time_slices import EPOCH_DAY, TimeSlices

MAX_CODES = 1 << 22  # combinations of groups for each of which a count is kept
MAX_FLAGS = 1 << 26  # a byte for each user of each group that is counted at a time


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups that have events.

    :param codes: of each dimension
    :param users_at: returns the distinct users of the groups at some places, in order: they cost most
    """

    dimensions: Sequence[Dimension]
    codes: Sequence[Array]
    events: Array
    users_at: Callable[[Array], Array]

    def __len__(self) -> int:
        return len(self.events)

    def labels(self) -> list[Array]:
        return [each.labels[codes] for each, codes in zip(self.dimensions, self.codes, strict=True)]


def count_groups(
    events: Events,
    dimensions: Sequence[Dimension],
    waiting: Waiting,
    *,
    by_user: bool,
    need: int | None = None,
) -> Groups:
    """Count the events of each group.

    :param by_user: one of the dimensions is the user: each group has one
    :param need: of the most frequent groups; others may be left out where each has one user. None for all
    """
    times = next((each for each in dimensions if each.slices is not None), None)
    if times is not None and times.slices is not None and len(dimensions) == 1:
        return count_times(events, times, times.slices, waiting)
    if times is not None and by_user:
        found, counts = in_order_of(dimensions, count_user_times(events, times, waiting, need))
        return Groups(dimensions, found, counts, lambda places: np.ones(len(places), np.int64))
    sizes = [each.size for each in dimensions]

    def codes_of(block: EventBlock) -> Array:
        codes = [each.code_of(block) for each in dimensions]
        return (
            codes[0].astype(np.int64) if len(codes) == 1 else codes[0].astype(np.int64) * sizes[1] + codes[1]
        )

    def users_at(places: Array) -> Array:
        if by_user:
            return np.ones(len(places), np.int64)
        slots = np.full(len(present), len(places))  # the last slot is that of all other groups
        slots[places] = np.arange(len(places))
        users = count_users(events, len(places) + 1, lambda block: slots[place_of(codes_of(block))], waiting)
        return users[:-1]

    if np.prod(sizes, dtype=object) <= MAX_CODES:
        present, counts, place_of = count_dense(
            events, int(np.prod(sizes)), codes_of, waiting, need if by_user else None
        )
    else:
        present, counts, place_of = count_sparse(events, codes_of, waiting, need if by_user else None)
    split = [present] if len(sizes) == 1 else [present // max(1, sizes[1]), present % max(1, sizes[1])]
    return Groups(dimensions, split, counts, users_at)


def count_times(events: Events, dimension: Dimension, slices: TimeSlices, waiting: Waiting) -> Groups:
    """Count the events of each group of time, which stand together."""
    totals = np.zeros(dimension.size, np.int64)
    for block in events.blocks(waiting):
        for group, rows in slices_of(slices, block):
            totals[group] += rows.stop - rows.start
    present = np.flatnonzero(totals)
    return Groups(
        [dimension],
        [present],
        totals[present],
        lambda places: count_users_of_times(events, slices, present[places], waiting),
    )


Counted = tuple[Array, Array, Callable[[Array], Array]]


def count_dense(
    events: Events, size: int, codes_of: Callable[[EventBlock], Array], waiting: Waiting, need: int | None
) -> Counted:
    """Return the codes that there are, how many events each has, and what turns codes into their places.

    :param need: of the most frequent codes; others may be left out. None for all
    """
    totals = np.zeros(size, np.int64)
    pending, rows = [np.empty(0, np.int64)], 0
    for block in events.blocks(waiting):
        pending.append(codes_of(block))
        rows += len(block)
        if rows >= size:  # or adding up tables would take longer than counting
            totals += np.bincount(np.concatenate(pending), minlength=size)
            pending, rows = pending[:1], 0
    totals += np.bincount(np.concatenate(pending), minlength=size)
    least = 1 if need is None else max(1, least_of_frequent(totals, need))
    present = np.flatnonzero(totals >= least)
    places = np.zeros(size, np.int32)
    places[present] = np.arange(len(present))
    return present, totals[present], lambda codes: places[codes]


def count_sparse(
    events: Events, codes_of: Callable[[EventBlock], Array], waiting: Waiting, need: int | None
) -> Counted:
    """Return the same where codes are too many to keep a count for each: all, or the most frequent ones."""
    codes = np.concatenate([np.empty(0, np.int64), *(codes_of(block) for block in events.blocks(waiting))])
    waiting.check()
    none = np.empty(0, np.int64)
    present, totals = count_keys(codes) if need is None else count_frequent(codes, none, none, need)
    return present, totals, lambda codes: np.searchsorted(present, codes)


def count_users(
    events: Events, slots: int, slots_of: Callable[[EventBlock], Array], waiting: Waiting
) -> Array:
    """Return the distinct users of each slot, by a flag for each user of each.

    Where flags would take too much, some slots have theirs at a time.
    """
    users = max(1, events.users)
    width = max(1, min(slots, MAX_FLAGS // users))
    counts = np.zeros(slots, np.int64)
    for begin in range(0, slots, width):
        some = min(width, slots - begin)
        flags = np.zeros(some * users, np.bool_)
        for block in events.blocks(waiting):
            places, user = slots_of(block), block.user
            if some < slots:
                rows = rows_between(places, begin, begin + some)
                places, user = places[rows], user[rows]
            flags[(places.astype(np.int64) - begin) * users + user] = True
        counts[begin : begin + some] = np.count_nonzero(flags.reshape(some, users), axis=1)
    return counts


def count_users_of_times(events: Events, slices: TimeSlices, present: Array, waiting: Waiting) -> Array:
    """Return the distinct users of some groups of time, the events of which stand together."""
    slot_of = np.full(len(slices.labels), -1)
    slot_of[present] = np.arange(len(present))
    users = max(1, events.users)
    width = max(1, min(len(present), MAX_FLAGS // users))
    counts = np.zeros(len(present), np.int64)
    for begin in range(0, len(present), width):
        flags = np.zeros((min(width, len(present) - begin), users), np.bool_)
        for block in events.blocks(waiting):
            some = [(slot_of[group] - begin, rows) for group, rows in slices_of(slices, block)]
            some = [(slot, rows) for slot, rows in some if 0 <= slot < len(flags)]
            if not some:
                continue
            user = block.user
            for slot, rows in some:
                flags[slot][user[rows]] = True
        counts[begin : begin + len(flags)] = np.count_nonzero(flags, axis=1)
    return counts


def rows_between(places: Array, begin: int, end: int) -> slice | Array:
    """Return the rows whose place is in [begin, end)."""
    if (places[1:] >= places[:-1]).all():
        return slice(*np.searchsorted(places, [begin, end]).tolist())
    return np.flatnonzero((places >= begin) & (places < end))


def page_of(groups: Groups, after: Sequence[Any] | None, *, limit: int, offset: int) -> Array:
    """Return the places of a page of groups: most events first, then by group.

    :param after: events and labels of the last group of the page before
    """
    keys = [-groups.events, *groups.labels()]
    places = np.arange(len(groups))
    if after is not None:
        fewer, *last = after
        follows, same = keys[0] > -fewer, keys[0] == -fewer
        for label, least in zip(keys[1:], last, strict=True):
            follows |= same & (label > least)
            same &= label == least
        places = places[follows]
    places = first_places(keys, places, offset + limit)
    order = np.lexsort([key[places] for key in keys[::-1]])
    return np.asarray(places[order[offset : offset + limit]])


def first_places(keys: Sequence[Array], places: Array, most: int) -> Array:
    """Return those of the places that stand first by the keys, so many and perhaps more, in any order."""
    chosen = [places[:0]]
    for key in keys:
        if len(places) <= most:
            break
        values = key[places]
        last = np.partition(values, most - 1)[most - 1]
        chosen.append(places[values < last])
        most -= len(chosen[-1])
        places = places[values == last]
    return np.concatenate([*chosen, places])


def count_days(events: Events, tz: str, waiting: Waiting) -> dict[int, int]:
    """Return the users of each day of a zone that has some; days count from 1970."""
    days = time_dimension(events, "day", tz, waiting)
    groups = count_groups(events, [days], waiting, by_user=False)
    users = groups.users_at(np.arange(len(groups)))
    return dict(zip(groups.labels()[0].tolist(), users.tolist(), strict=True))


def day_number(day: Any) -> int:
    """Return a date as days since 1970."""
    return int((day - EPOCH_DAY).days)
