"""Visits of each group or pair of groups, summed up over blocks."""

from collections.abc import Sequence

import numpy as np

from db.part_files import Array

DENSE = 4  # numbers are counted in a table of at most so many times as many places as there are rows
SHORT = 1 << 32  # numbers below it are sorted in half the time
PENDING = 1 << 20  # rows that are counted together where the numbers of one block are too few for a table


class GroupCounts:
    """Counts rows by one or two numbers of each."""

    def __init__(self, groups: int) -> None:
        self._groups = groups
        self._pending: list[list[Array]] = []
        self._rows = 0
        self._pieces: list[tuple[Array, Array, Array]] = []

    def add(self, codes: Sequence[Array]) -> None:
        """Count the rows of a block, by a number of each group."""
        if not len(codes[0]):
            return
        if not self._groups:
            self._pieces.append((np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([len(codes[0])])))
        elif not self._pending and is_dense(codes):
            self._count(codes)
        else:
            self._pending.append(list(codes))
            self._rows += len(codes[0])
            if self._rows > PENDING:
                self._flush()

    def add_counts(self, codes: Array, counts: Array) -> None:
        """Add rows that are counted by their one group already."""
        self._pieces.append((codes, np.zeros(len(codes), np.int64), counts))

    def result(self) -> tuple[Array, Array, Array]:
        """Return the two numbers of each group, 0 for those that there are not, and its rows."""
        self._flush()
        if not self._pieces:
            none = np.zeros(0, np.int64)
            return none, none, none
        first, second, counts = (np.concatenate(column) for column in zip(*self._pieces, strict=True))
        width = int(second.max()) + 1
        keys, inverse = np.unique(first * width + second, return_inverse=True)
        sums = np.bincount(inverse.reshape(-1), counts, len(keys)).astype(np.int64)
        return keys[sums > 0] // width, keys[sums > 0] % width, sums[sums > 0]

    def _flush(self) -> None:
        if self._pending:
            self._count([np.concatenate(column) for column in zip(*self._pending, strict=True)])
        self._pending, self._rows = [], 0

    def _count(self, codes: Sequence[Array]) -> None:
        if not is_dense(codes):
            for code in codes if len(codes) > 1 else ():
                is_none = code == 0
                if is_none.any() and not is_none.all():  # most rows, perhaps, and few pairs
                    self._count([each[is_none] for each in codes])
                    self._count([each[~is_none] for each in codes])
                    return
        lows = [int(each.min()) for each in codes]
        widths = [int(each.max()) - low + 1 for each, low in zip(codes, lows, strict=True)]
        keys = codes[0].astype(np.int64) - lows[0]
        if len(codes) > 1:
            keys = keys * widths[1] + (codes[1] - lows[1])
        if table_size(codes) <= DENSE * len(keys):
            table = np.bincount(keys)
            keys = np.flatnonzero(table)
            counts = table[keys]
        else:
            size = table_size(codes)
            keys, counts = np.unique(keys.astype(np.uint32) if size < SHORT else keys, return_counts=True)
            keys = keys.astype(np.int64)
        if len(codes) > 1:
            self._pieces.append((keys // widths[1] + lows[0], keys % widths[1] + lows[1], counts))
        else:
            self._pieces.append((keys + lows[0], np.zeros(len(keys), np.int64), counts))


def is_dense(codes: Sequence[Array]) -> bool:
    """Return whether a table of all numbers is small beside the rows, so that counting sorts nothing."""
    return table_size(codes) <= DENSE * len(codes[0])


def table_size(codes: Sequence[Array]) -> int:
    """Return how many places a table has for all numbers between the least and the largest."""
    size = 1
    for each in codes:
        size *= int(each.max()) - int(each.min()) + 1
    return size
