"""Keeps what was decoded of parts, by their tokens: they never change, so nothing is ever out of date."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

MAX_BYTES = 96 * 1024 * 1024  # of a process


class PartCache:
    """Values by key, the least recently used of which are dropped when they are too large together."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """Return a value, or None."""
        entry = self._values.get(key)
        if entry is None:
            return None
        self._values.move_to_end(key)
        return entry[0]

    def clear(self) -> None:
        """Drop all values."""
        self._values.clear()
        self._bytes = 0

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value of some bytes."""
        _, old_size = self._values.pop(key, (None, 0))
        self._values[key] = value, size
        self._bytes += size - old_size
        while self._bytes > self._max_bytes and self._values:
            _, (_, dropped) = self._values.popitem(last=False)
            self._bytes -= dropped


PART_CACHE = PartCache(MAX_BYTES)
