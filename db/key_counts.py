"""Sums of counts by key, where keys are too many for a table."""

import numpy as np

from db.array_files import Array

BUCKETS = 1 << 20
BUCKET_SHIFT = np.uint64(44)
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # spreads keys over the buckets
FEW = BUCKETS // 4  # keys that are counted at once, all of them
MANY = 1000
FULL = 4  # times as many buckets as groups are needed have the most frequent ones


SHORT = 1 << 32  # keys below it are sorted in half the time


def count_keys(keys: Array) -> tuple[Array, Array]:
    """Return the distinct keys, which are whole numbers from 0, in order, and how often each stands there."""
    ordered = np.sort(keys.astype(np.uint32) if keys.max(initial=0) < SHORT else keys)
    begins = first_rows(ordered)
    return ordered[begins].astype(np.int64), np.diff(begins, append=len(ordered))


def sum_up(keys: Array, counts: Array) -> tuple[Array, Array]:
    """Return the distinct keys in order, and the sum of the counts of each, which is not 0."""
    order = np.argsort(keys)
    keys = keys[order]
    begins = first_rows(keys)
    sums = np.add.reduceat(counts[order], begins)
    return keys[begins[sums > 0]], sums[sums > 0]


def first_rows(ordered: Array) -> Array:
    """Return where each of the values first stands in an array that is in order."""
    is_first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)


def frequent(keys: Array, counts: Array | None, need: int) -> Array:
    """Return which keys to count: surely all of the `need` most frequent ones, and all that are as frequent.

    Each key is in a bucket, which has all its counts and those of a few others.

    :param counts: of each key; None for 1
    """
    every = np.ones(len(keys), np.bool_)
    if len(keys) <= FEW:
        return every
    buckets = (keys.astype(np.uint64) * FACTOR >> BUCKET_SHIFT).astype(np.int64)
    totals = np.bincount(buckets, counts, BUCKETS).astype(np.int64)
    # Of buckets that have many all are taken, which are few where it matters.
    as_full = np.cumsum(np.bincount(np.minimum(totals, MANY))[::-1])
    least = len(as_full) - 1 - int(np.searchsorted(as_full, FULL * need))
    in_full = totals[buckets] >= least
    if np.count_nonzero(in_full) > len(keys) // 2:
        return every
    _, sums = count_keys(keys[in_full]) if counts is None else sum_up(keys[in_full], counts[in_full])
    if len(sums) < need:
        return every
    return np.asarray(totals[buckets] >= np.partition(sums, len(sums) - need)[len(sums) - need])
