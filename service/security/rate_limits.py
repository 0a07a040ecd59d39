"""Requests a minute, counted exactly in Valkey for all workers; in this process while Valkey is away."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network

from service.cache import Cache, CacheUnavailable
from service.security.identifiers import LOCAL

WINDOW = 60  # seconds, from the first request that is counted

# KEYS: counters, one of which may stand there more than once. ARGV: seconds of a window.
COUNT = """
local counts = {}
for n, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  local remaining = redis.call('PTTL', key)
  if remaining < 0 then
    remaining = tonumber(ARGV[1]) * 1000
    redis.call('PEXPIRE', key, remaining)
  end
  counts[n] = {count, remaining}
end
return counts
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a limit is used after a request, and the seconds until its window resets."""

    limit: int
    count: int
    reset: int

    @property
    def exceeded(self) -> bool:
        return self.count > self.limit

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.count)

    @classmethod
    def from_counter(cls, limit: int, count: int, milliseconds_left: int) -> "Allowance":
        """Make the allowance of a counter whose window ends in so many milliseconds."""
        return cls(limit, count, max(1, math.ceil(milliseconds_left / 1000)))


@dataclass(slots=True)
class LocalCounters:
    """Counters of this process, by name. Each is dropped when its window ends."""

    max_counters: int = 100_000
    clock: Callable[[], float] = time.monotonic
    _counters: dict[str, tuple[int, float]] = field(default_factory=dict)  # count, end of the window

    def count(self, name: str, window: float) -> tuple[int, int]:
        """Count one more. Return the count and the milliseconds left of its window of `window` seconds."""
        now = self.clock()
        count, end = self._counters.get(name, (0, 0.0))
        if end <= now:
            count, end = 0, now + window
            self._make_room(now)
        self._counters[name] = (count + 1, end)
        return count + 1, int((end - now) * 1000)

    def peek(self, name: str) -> tuple[int, int]:
        """Return the count and the milliseconds left of its window, and count nothing."""
        now = self.clock()
        count, end = self._counters.get(name, (0, 0.0))
        return (count, int((end - now) * 1000)) if end > now else (0, 0)

    def clear(self) -> None:
        self._counters.clear()

    def _make_room(self, now: float) -> None:
        if len(self._counters) >= self.max_counters:
            self._counters = {name: entry for name, entry in self._counters.items() if entry[1] > now}
        if len(self._counters) >= self.max_counters:
            self._counters.clear()


local_requests = LocalCounters()


class UsedUp:
    """The counters that are known to be over their limit, until their windows end.

    Valkey has told that with the request that went over it. What comes until then needs no exchange.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, max_counters: int = 100_000) -> None:
        self.clock = clock
        self._max_counters = max_counters
        self._ends: dict[str, float] = {}

    def find(self, counter: str, limit: int) -> Allowance | None:
        """Return the allowance of a counter, if it is surely over the limit."""
        left = self._ends.get(counter, 0.0) - self.clock() if self._ends else 0.0
        return Allowance.from_counter(limit, limit + 1, int(left * 1000)) if left > 0.0 else None

    def note(self, counter: str, end: float) -> None:
        """Remember a counter until its window ends; if that are too many, Valkey is asked as before."""
        if len(self._ends) >= self._max_counters:
            now = self.clock()
            self._ends = {name: time for name, time in self._ends.items() if time > now}
        if len(self._ends) < self._max_counters:
            self._ends[counter] = end


def network(address: str | None) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 that one customer has of IPv6."""
    if address is None:
        return LOCAL
    if ":" in address:
        return str(ip_network(f"{address}/64", strict=False).network_address)
    return address


async def count_request(cache: Cache, counter: str, limit: int, window: int = WINDOW) -> Allowance:
    """Count one request on the counter of a user or an address, in a window of so many seconds."""
    [count] = await exchange_counts(cache, [counter], window)
    return Allowance.from_counter(limit, *count)


async def count_crowd(cache: Cache, used_up: UsedUp, limit: int, counters: Sequence[str]) -> list[Allowance]:
    """Count a request on each of the counters in one exchange, and note those that are over the limit."""
    now = used_up.clock()  # before Valkey says how much is left: no window is taken for longer than it is
    counts = await exchange_counts(cache, counters, WINDOW)
    for counter, (count, left) in zip(counters, counts, strict=True):
        if count > limit:
            used_up.note(counter, now + left / 1000)
    return [Allowance.from_counter(limit, *count) for count in counts]


async def exchange_counts(cache: Cache, counters: Sequence[str], window: int) -> list[tuple[int, int]]:
    """Count a request on each of the counters. Return counts, and the milliseconds left of the windows."""
    try:
        return [(count, left) for count, left in await cache.script(COUNT, counters, [window])]
    except CacheUnavailable:
        return [local_requests.count(counter, window) for counter in counters]
