"""The addresses that an importer remembers: those of the lines before are found again without a query."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from service.logs.line_columns import AddressKey

Key = TypeVar("Key", bound=AddressKey)
NEVER = np.iinfo(np.int64).max
ID, COUNTRY, FIRST_PRODUCT = range(3)
Row = tuple[int, int, int]  # in this order


class KnownAddresses:
    """Addresses, each with its id, the index of its country, and when it viewed a product first, or NEVER."""

    def __init__(self) -> None:
        self._places: dict[AddressKey, int] = {}
        self._rows = np.empty((0, 3), np.int64)

    def __len__(self) -> int:
        return len(self._places)

    def missing(self, keys: Iterable[Key]) -> list[Key]:
        """Return those of the addresses that are not known."""
        return [key for key in keys if key not in self._places]

    def clear(self) -> None:
        self._places.clear()

    def add(self, rows: Mapping[Key, Row]) -> None:
        """Add addresses that are not known."""
        start, end = len(self._places), len(self._places) + len(rows)
        if end > len(self._rows):
            self._rows = np.concatenate([self._rows[:start], np.empty((2 * end - start, 3), np.int64)])
        if rows:
            self._rows[start:end] = list(rows.values())
        self._places.update(zip(rows, range(start, end), strict=True))

    def take(self, keys: Sequence[AddressKey]) -> NDArray[np.int64]:
        """Return the rows of known addresses."""
        places = np.fromiter(map(self._places.__getitem__, keys), np.int64, len(keys))
        return self._rows[places]

    def lower_first_products(self, keys: Iterable[AddressKey], times: Iterable[int]) -> None:
        """Set when addresses viewed a product first, of those that are known."""
        for key, at in zip(keys, times, strict=True):
            if (place := self._places.get(key)) is not None:
                self._rows[place, FIRST_PRODUCT] = at
