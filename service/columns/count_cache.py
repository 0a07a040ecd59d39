"""A cache of what was counted of whole parts: parts never change.

Later parts are added to it; where one of its parts is gone, all are counted anew.
"""

import uuid
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from db.part_cache import PartCache
from db.queries.column_reads import Span

MIB = 2**20
MAX_BYTES = 32 * MIB  # of a process
MAX_SIZE = 6 * MIB  # of one count


@dataclass(frozen=True, slots=True)
class CountKey:
    """The key of what is counted of a part, as long as the process numbers things as it does.

    :param owners: what gives out the numbers. The value has their ids, which nothing else has while they live
    """

    value: Hashable
    owners: tuple[object, ...]

    def about(self, detail: Hashable) -> "CountKey":
        """Return the key of one thing that is counted."""
        return CountKey((self.value, detail), self.owners)


@dataclass(frozen=True, slots=True)
class Entry:
    """What was counted of some parts. It is never changed."""

    tokens: frozenset[uuid.UUID]
    value: Any
    owners: tuple[object, ...]


class CountCache:
    """The counts that a process caches, the least recently used of which are dropped."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._cache = PartCache(max_bytes)

    def get(self, key: CountKey, spans: Collection[Span]) -> Entry | None:
        """Return what is known of the parts or of some of them."""
        entry: Entry | None = self._cache.get(key.value)
        return entry if entry is not None and entry.tokens <= {span.token for span in spans} else None

    def put(self, key: CountKey, spans: Collection[Span], value: Any, size: int) -> None:
        if size <= MAX_SIZE:
            tokens = frozenset(span.token for span in spans)
            self._cache.put(key.value, Entry(tokens, value, key.owners), size)


def parts_to_count(spans: Sequence[Span], entry: Entry | None) -> Sequence[Span]:
    """Return the parts whose counts the entry does not hold."""
    return spans if entry is None else [span for span in spans if span.token not in entry.tokens]
