"""Visits of each group or pair of groups, summed up over blocks."""

from collections.abc import Sequence

import numpy as np

from db.key_counts import count_keys, frequent, sum_up
from db.part_files import Array

DENSE = 4  # numbers are counted in a table of at most so many times as many places as there are rows
TABLE = 1 << 22  # keys below it are summed up in a table
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

    def add_with_none(self, codes: Sequence[Array], place: int, rows: Array) -> None:
        """Count the rows of a block of which most have 0 as one of two numbers.

        :param codes: by a number of each group; those of the group at `place` are of `rows` alone
        :param rows: all that have another number than 0 there, and perhaps others
        """
        other = codes[1 - place]
        counts = np.bincount(other)
        some = other[rows]
        counts -= np.bincount(some, minlength=len(counts))
        present = np.flatnonzero(counts)
        none = np.zeros(len(present), np.int64)
        self._pieces.append((*((none, present) if place == 0 else (present, none)), counts[present]))
        self.add([codes[0], some] if place == 0 else [some, codes[1]])

    def add_counts(self, codes: Array, counts: Array) -> None:
        """Add rows that are counted by their one group already."""
        self._pieces.append((codes, np.zeros(len(codes), np.int64), counts))

    def result(self, need: int, *, without_none: int | None = None) -> tuple[Array, Array, Array]:
        """Return the two numbers of each group, 0 where it has none, and how many rows it has.

        :param need: how many of the most frequent groups; those as frequent as the last come too, others may
        :param without_none: which number, 0 or 1, a row must have to be in a group
        """
        self._flush()
        pieces = [piece for piece in self._pieces if len(piece[0])]
        if not pieces:
            none = np.zeros(0, np.int64)
            return none, none, none
        first, second, counts = (np.concatenate(column) for column in zip(*pieces, strict=True))
        if without_none is not None:
            has_value = (first, second)[without_none] != 0
            first, second, counts = first[has_value], second[has_value], counts[has_value]
        width = int(second.max(initial=0)) + 1
        keys = first * width + second
        if int(keys.max(initial=0)) < TABLE:
            table = np.bincount(keys, counts)
            keys = np.flatnonzero(table)
            sums = table[keys].astype(np.int64)
        else:
            some = frequent(keys, counts, need)
            keys, sums = sum_up(keys[some], counts[some])
        return keys // width, keys % width, sums

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
            keys, counts = count_keys(keys)
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
