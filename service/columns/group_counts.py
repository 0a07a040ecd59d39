"""Visits of each group or pair of groups, summed up over blocks."""

from collections.abc import Sequence

import numpy as np

from db.key_counts import count_frequent, count_keys, least_of_frequent
from db.part_files import Array

DENSE = 4  # numbers are counted in a table of at most so many times as many places as there are rows
TABLE = 1 << 21  # groups, those without a visit included, up to which there is one table of all
PENDING = 6 << 20  # rows that are counted together where the numbers of one block are too few for a table

Pair = tuple[Array, Array]


class GroupCounts:
    """Counts rows by one or two numbers of each; where there is one, the other is 0."""

    def __init__(self, groups: int) -> None:
        self._groups = groups
        self._table = np.zeros((0, 0), np.int64)  # by both numbers
        self._pending: list[Pair] = []
        self._rows = 0
        self._most = [0, 0]  # of the numbers that are pending
        self._pieces: list[tuple[Array, Array, Array]] = []

    @property
    def size(self) -> int:
        """The bytes that this takes."""
        arrays = [self._table, *(each for columns in (*self._pending, *self._pieces) for each in columns)]
        return sum(each.nbytes for each in arrays)

    def copy(self) -> "GroupCounts":
        """Return another one that goes on from here."""
        other = GroupCounts(self._groups)
        other._table, other._rows, other._most = self._table.copy(), self._rows, list(self._most)
        other._pending, other._pieces = list(self._pending), list(self._pieces)
        return other

    def add(self, codes: Sequence[Array]) -> None:
        """Count the rows of a block, by a number of each group."""
        if not len(codes[0]):
            return
        if not self._groups:
            self._add_table([0, 0], np.array([[len(codes[0])]]))
            return
        lows, highs = [int(each.min()) for each in codes], [int(each.max()) for each in codes]
        if table_size(lows, highs) <= DENSE * len(codes[0]):
            self._count(codes, lows, highs)
            return
        self._pending.append((codes[0], codes[1] if len(codes) > 1 else np.zeros(len(codes[0]), np.int8)))
        self._most = [max(pair) for pair in zip(self._most, [*highs, 0], strict=False)]
        self._rows += len(codes[0])
        if self._rows > PENDING:
            self._flush()

    def add_with_none(self, codes: Sequence[Array], place: int, rows: Array) -> None:
        """Count the rows of a block of which most have 0 as one of two numbers.

        :param codes: by a number of each group; those of the group at `place` are of `rows` alone
        :param rows: all that have another number than 0 there
        """
        other = codes[1 - place]
        some = other.take(rows)
        if len(rows) < len(other):
            low = int(other.min())
            counts = np.bincount(other - low)
            counts -= np.bincount(some - low, minlength=len(counts))
            self._add_table(
                [0, low] if place == 0 else [low, 0], counts.reshape((1, -1) if place == 0 else (-1, 1))
            )
        self.add([codes[0], some] if place == 0 else [some, codes[1]])

    def add_counts(self, codes: Array, counts: Array) -> None:
        """Add how many rows some groups have. Only where visits are grouped by one thing, not by two."""
        self._pieces.append((codes, np.zeros(len(codes), np.int64), counts))

    def result(self, need: int, *, without_none: int | None = None) -> tuple[Array, Array, Array]:
        """Return the two numbers of each group, 0 where it has none, and how many rows it has.

        :param need: how many of the most frequent groups; those as frequent as the last come too, others may
        :param without_none: which number, 0 or 1, a row must have to be in a group
        """
        self.settle()
        if without_none is not None:
            self._table[:1] = 0 if without_none == 0 else self._table[:1]
            self._table[:, :1] = 0 if without_none == 1 else self._table[:, :1]
        if not self._pending and not self._pieces:
            least = least_of_frequent(self._table, need)
            first, second = np.nonzero(self._table >= max(1, least))
            return first, second, self._table[first, second]
        first, second, counts = concatenate_columns([*self._pieces, pieces_of(self._table, [0, 0])], 3)
        row_pairs, self._pending = concatenate_columns(self._pending, 2), []
        if without_none is not None:
            chosen = np.flatnonzero((first, second)[without_none])
            first, second, counts = first[chosen], second[chosen], counts[chosen]
            chosen = np.flatnonzero(row_pairs[without_none])
            row_pairs = [each[chosen] for each in row_pairs]
        width = 1 + max(int(second.max(initial=0)), int(row_pairs[1].max(initial=0)))
        keys, sums = count_frequent(keys_of(row_pairs, width), first * width + second, counts, need)
        return keys // width, keys % width, sums

    def settle(self) -> None:
        """Count what is pending if that makes it smaller."""
        if self._pending and fits(self._most):
            self._flush()

    def _flush(self) -> None:
        codes = concatenate_columns(self._pending, 2)
        self._pending, self._rows = [], 0
        lows, highs = [int(each.min()) for each in codes], [int(each.max()) for each in codes]
        if table_size(lows, highs) <= DENSE * len(codes[0]):
            self._count(codes, lows, highs)
        else:
            width = highs[1] + 1
            keys, counts = count_keys(keys_of(codes, width))
            self._pieces.append((keys // width, keys % width, counts))

    def _count(self, codes: Sequence[Array], lows: Sequence[int], highs: Sequence[int]) -> None:
        widths = [high - low + 1 for low, high in zip(lows, highs, strict=True)]
        keys = codes[0].astype(np.int64)
        if len(codes) > 1:
            keys *= widths[1]
            keys += codes[1]
        keys -= lows[0] * (widths[1] if len(codes) > 1 else 1) + (lows[1] if len(codes) > 1 else 0)
        shape = (*widths, 1)[:2]
        self._add_table([*lows, 0][:2], np.bincount(keys, minlength=shape[0] * shape[1]).reshape(shape))

    def _add_table(self, lows: Sequence[int], counts: Array) -> None:
        """Add the counts of numbers from the least ones on."""
        ends = [low + size for low, size in zip(lows, counts.shape, strict=True)]
        shape = [max(pair) for pair in zip(ends, self._table.shape, strict=True)]
        if shape[0] * shape[1] > TABLE:
            self._pieces.append(pieces_of(counts, lows))
            return
        if tuple(shape) != self._table.shape:
            table = np.zeros(shape, np.int64)
            table[: self._table.shape[0], : self._table.shape[1]] = self._table
            self._table = table
        self._table[lows[0] : ends[0], lows[1] : ends[1]] += counts


def table_size(lows: Sequence[int], highs: Sequence[int]) -> int:
    """Return how many places a table has for all numbers between the least and the largest."""
    size = 1
    for low, high in zip(lows, highs, strict=True):
        size *= high - low + 1
    return size


def fits(highs: Sequence[int]) -> bool:
    """Return whether the table of all groups has a place for numbers up to these."""
    return table_size([0] * len(highs), highs) <= TABLE


def pieces_of(table: Array, lows: Sequence[int]) -> tuple[Array, Array, Array]:
    """Return the numbers and counts of the groups that a table has, whose first numbers are these."""
    first, second = np.nonzero(table)
    return first + lows[0], second + lows[1], table[first, second]


def concatenate_columns(columns: Sequence[Sequence[Array]], count: int) -> list[Array]:
    """Return so many columns, each made of its pieces."""
    if not columns:
        return [np.zeros(0, np.int64)] * count
    return [np.concatenate(pieces) for pieces in zip(*columns, strict=True)]


def keys_of(codes: Sequence[Array], width: int) -> Array:
    """Return one number for two, of which the second is less than a width."""
    keys = codes[0].astype(np.int64)
    keys *= width
    keys += codes[1]
    return keys
