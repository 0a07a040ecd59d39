"""The bodies of requests under way in a worker: how much memory they hold, and how many are slow.

A body is slow once it has been waited for: the others arrive with their request, and cost no more than it.
"""

from typing import Protocol

from service.errors import TooMany, Unavailable
from telemetry.refusals import record_refusal

RETRY_AFTER = 1  # seconds


class Counter(Protocol):
    """Counts by key, over all workers."""

    workers: int

    def add(self, key: str, number: int) -> int:
        """Add to this worker's count of a key; return the sum of all workers."""
        ...

    def largest(self) -> int:
        """Return the largest count of this worker."""
        ...


class LocalCounter:
    """A Counter of one worker."""

    workers = 1

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, key: str, number: int) -> int:
        count = self._counts.get(key, 0) + number
        if count:
            self._counts[key] = count
        else:
            del self._counts[key]
        return count

    def largest(self) -> int:
        return max(self._counts.values(), default=0)


class Bodies:
    """The bodies under way in this worker."""

    def __init__(self, *, total: int, each: int, slow: int, slow_counter: Counter) -> None:
        """Begin with none.

        :param total: bytes that all of them hold at most
        :param each: bytes that those of one address hold at most
        :param slow: how many of one address are slow at most, over all workers
        """
        self.total = total
        self.slow = slow
        self.slow_counter = slow_counter
        self.held = 0  # bytes
        self._each = each
        self._held_by: dict[str, int] = {}

    def hold(self, address: str, size: int) -> None:
        """Count bytes of a body that are in memory now.

        :raises Unavailable: `busy`, if they are too many; they are not counted then
        """
        of_address = self._held_by.get(address, 0) + size
        if of_address > self._each or self.held + size > self.total:
            record_refusal("body_bytes")
            raise Unavailable("too many large bodies at once", code="busy", retry_after=RETRY_AFTER)
        self._held_by[address] = of_address
        self.held += size

    def release(self, address: str, size: int) -> None:
        """Count bytes that are in memory no more."""
        self.held -= size
        self._held_by[address] = self._held_by.get(address, 0) - size
        if not self._held_by[address]:
            del self._held_by[address]

    def begin_wait(self, address: str) -> None:
        """Count a body as slow.

        :raises TooMany: `too_many_at_once`, if its address has enough of them; it is not counted then
        """
        if self.slow_counter.add(address, 1) > self.slow:
            self.slow_counter.add(address, -1)
            record_refusal("slow_bodies")
            raise TooMany(
                "too many bodies of one address are on their way",
                code="too_many_at_once",
                retry_after=RETRY_AFTER,
            )

    def end_wait(self, address: str) -> None:
        self.slow_counter.add(address, -1)


class BodyShare:
    """What one body takes of the bounds. `close` gives it back."""

    __slots__ = ("_address", "_bodies", "_is_slow", "_size")

    def __init__(self, bodies: Bodies, address: str) -> None:
        self._bodies = bodies
        self._address = address
        self._size = 0
        self._is_slow = False

    @property
    def is_slow(self) -> bool:
        return self._is_slow

    def hold(self, size: int) -> None:
        """Count bytes that are in memory now.

        :raises Unavailable: `busy`, if all bodies hold too many
        """
        self._bodies.hold(self._address, size)
        self._size += size

    def release(self, size: int) -> None:
        self._bodies.release(self._address, size)
        self._size -= size

    def begin_wait(self) -> None:
        """Count it as slow, if it is not yet.

        :raises TooMany: `too_many_at_once`, if its address has enough of them
        """
        if not self._is_slow:
            self._bodies.begin_wait(self._address)
            self._is_slow = True

    def end_wait(self) -> None:
        """Count it as slow no more: all of it has arrived."""
        if self._is_slow:
            self._is_slow = False
            self._bodies.end_wait(self._address)

    def close(self) -> None:
        self.end_wait()
        if self._size:
            self.release(self._size)
