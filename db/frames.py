"""Frames: columns of some rows as numpy arrays of one length, by name.

Whole numbers are integers, instants datetime64 in microseconds of UTC, flags bool. Texts, bytes and whole
numbers beyond 64 bits are objects. A row without a value has NO_NUMBER, NO_INSTANT or None.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calendar_days import microseconds
from db.columns import Values

Frame = dict[str, NDArray[Any]]
Rows = NDArray[np.intp] | NDArray[np.bool_]
Instants = NDArray[np.datetime64]
Texts = NDArray[np.object_]

NO_NUMBER = int(np.iinfo(np.int64).min)  # which no visit has
NO_INSTANT = np.datetime64("NaT", "us")  # its bits are those of NO_NUMBER


def height(frame: Frame) -> int:
    """Return how many rows a frame has."""
    return len(next(iter(frame.values())))


def take(frame: Frame, rows: Rows) -> Frame:
    return {name: column[rows] for name, column in frame.items()}


def concatenate(frames: Sequence[Frame]) -> Frame:
    """Return the rows of frames, of which each has the columns of the first."""
    return {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}


def numbers_of(values: Iterable[int | None]) -> Values:
    return np.array([NO_NUMBER if value is None else value for value in values], np.int64)


def texts_of(values: Iterable[str | bytes | None]) -> Texts:
    """Make a column of texts, or of bytes."""
    return np.array([*values, None], np.object_)[:-1]  # numpy makes an array of floats of no values


def instants_of(values: Iterable[datetime | None]) -> Instants:
    numbers = numbers_of(None if value is None else microseconds(value) for value in values)
    return instants_at(numbers)


def instants_at(microseconds: Values) -> Instants:
    """Return the instants so many microseconds after 1970."""
    instants: Instants = np.asarray(microseconds, np.int64).view("M8[us]")
    return instants


def days_of(instants: Instants) -> Values:
    """Return the day of each instant, as the number of days since 1970."""
    days: Values = instants.astype("M8[D]").astype(np.int64)
    return days


def find_rows(sought: Values, values: Values) -> NDArray[np.intp]:
    """Return where each number stands among values, which are distinct; -1 where it does not."""
    if not len(values):
        return np.full(len(sought), -1, np.intp)
    order = np.argsort(values)
    at = np.minimum(np.searchsorted(values, sought, sorter=order), len(values) - 1)
    rows: NDArray[np.intp] = order[at]
    return np.where(values[rows] == sought, rows, -1)


def group_rows(*keys: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order rows by their keys, equal ones as they stand. Return the order, and where groups begin in it."""
    order = np.lexsort(keys[::-1])
    is_first = np.zeros(len(order), np.bool_)
    is_first[:1] = True
    for key in keys:
        ordered = key[order]
        is_first[1:] |= ordered[1:] != ordered[:-1]
    return order, np.flatnonzero(is_first)
