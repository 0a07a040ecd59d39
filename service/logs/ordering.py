"""Puts the good lines of a chunk in order, each once."""

from collections.abc import Sequence

import numpy as np

from service.logs.line_columns import Int64s

Columns = dict[str, Int64s]


def merge_rows(columns: Columns, rows: Sequence[tuple[int, ...]]) -> Columns:
    """Return the columns and, behind them, rows of values in the order of the columns."""
    if not rows:
        return columns
    added = np.array(rows, np.int64).T
    return {
        name: np.concatenate([column, more])
        for (name, column), more in zip(columns.items(), added, strict=True)
    }


def order_lines(columns: Columns) -> tuple[Columns, int]:
    """Order lines by (occurred, position), and keep the first in the file of those with one time and key.

    Return how many were left out, too.
    """
    occurred, position = columns["occurred"], columns["position"]
    if (np.diff(position) < 0).any() or (np.diff(occurred) < 0).any():
        columns = take(columns, np.lexsort((position, occurred)))
    is_double = doubles(columns["occurred"], columns["key"])
    count = int(np.count_nonzero(is_double))
    return (take(columns, np.flatnonzero(~is_double)) if count else columns), count


def doubles(occurred: Int64s, key: Int64s) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which lines have the time and the key of an earlier one; the lines are in order of time."""
    is_double = np.zeros(len(key), np.bool_)
    keys = np.sort(key)
    if not (keys[1:] == keys[:-1]).any():
        return is_double
    order = np.lexsort((key, occurred))  # stable: equal ones stay in their order
    is_equal = (np.diff(occurred[order]) == 0) & (np.diff(key[order]) == 0)
    is_double[order[1:][is_equal]] = True
    return is_double


def take(columns: Columns, rows: Int64s) -> Columns:
    return {name: column[rows] for name, column in columns.items()}
