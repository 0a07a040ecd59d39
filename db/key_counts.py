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
    sums = np.add.reduceat(counts[order], begins) if len(begins) else counts[:0]
    return keys[begins[sums > 0]], sums[sums > 0]


def first_rows(ordered: Array) -> Array:
    """Return where each of the values first stands in an array that is in order."""
    is_first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)


def least_of_frequent(counts: Array, need: int) -> int:
    """Return the least count of the `need` most frequent keys, at most MANY; 0 if there are fewer keys."""
    as_frequent = np.cumsum(np.bincount(np.minimum(counts, MANY).ravel(), minlength=1)[::-1])
    place = int(np.searchsorted(as_frequent, need))
    return max(0, len(as_frequent) - 1 - place)


def count_frequent(rows: Array, keys: Array, counts: Array, need: int) -> tuple[Array, Array]:
    """Return the `need` most frequent keys, all as frequent, perhaps others, and how often each stands.

    Each key is in a bucket, which has all its counts and those of a few others: only the keys of buckets that
    have as many as the last one needed are sorted.

    :param rows: keys, each of which counts once
    :param keys: more keys, perhaps the same, of which each has its count
    """
    if len(rows) + len(keys) <= FEW:
        return sum_both(rows, keys, counts)
    row_buckets, key_buckets = buckets_of(rows), buckets_of(keys)
    totals = np.bincount(row_buckets, minlength=BUCKETS)
    if len(keys):
        totals += np.bincount(key_buckets, counts, BUCKETS).astype(np.int64)
    # Of buckets that have many all are taken, which are few where it matters.
    least = least_of_frequent(totals, FULL * need)
    while True:
        full = totals >= least
        row_places = np.flatnonzero(full.take(row_buckets))
        key_places = np.flatnonzero(full.take(key_buckets))
        found, sums = sum_both(rows.take(row_places), keys.take(key_places), counts.take(key_places))
        exact = int(np.partition(sums, -need)[-need]) if len(sums) >= need else 0
        if exact >= least or least <= 1:
            frequent = sums >= exact
            return found[frequent], sums[frequent]
        # Keys that are as frequent may be in other buckets, too.
        least = exact


def sum_both(rows: Array, keys: Array, counts: Array) -> tuple[Array, Array]:
    """Return the distinct keys in order, and how often each stands, as `count_frequent` takes them."""
    found, sums = count_keys(rows)
    if not len(keys):
        return found, sums
    return sum_up(np.concatenate([found, keys]), np.concatenate([sums, counts]))


def buckets_of(keys: Array) -> Array:
    """Return the bucket of each key."""
    mixed = keys.astype(np.uint64)
    mixed *= FACTOR
    mixed >>= BUCKET_SHIFT
    return mixed.view(np.int64)
