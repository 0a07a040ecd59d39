"""Requests a minute, counted exactly in Valkey for all workers; in this process while Valkey is away."""

import math
import time
from dataclasses import dataclass, field
from ipaddress import ip_network

from service.cache import Cache, CacheUnavailable

WINDOW = 60  # seconds, from the first request that is counted

COUNT = """
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1]) * 1000
  redis.call('PEXPIRE', KEYS[1], left)
end
return {count, left}
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How a limit stands after a request: number `limit` + 1 is refused. `reset` in seconds."""

    limit: int
    count: int
    reset: int

    @property
    def exceeded(self) -> bool:
        return self.count > self.limit

    @property
    def left(self) -> int:
        return max(0, self.limit - self.count)


def allowance(limit: int, count: int, milliseconds: int) -> Allowance:
    return Allowance(limit, count, max(1, math.ceil(milliseconds / 1000)))


@dataclass(slots=True)
class LocalCounters:
    """Counts of this process, by name, until each one's window ends."""

    max_counters: int = 100_000
    _counters: dict[str, tuple[int, float]] = field(default_factory=dict)  # count, end on the monotonic clock

    def count(self, name: str, window: float) -> tuple[int, int]:
        """One more. Returns the count and the milliseconds that are left of its window."""
        now = time.monotonic()
        count, end = self._counters.get(name, (0, 0.0))
        if end <= now:
            count, end = 0, now + window
            self._make_room(now)
        self._counters[name] = (count + 1, end)
        return count + 1, int((end - now) * 1000)

    def look(self, name: str) -> tuple[int, int]:
        """The count and the milliseconds that are left of its window, with nothing counted."""
        now = time.monotonic()
        count, end = self._counters.get(name, (0, 0.0))
        return (count, int((end - now) * 1000)) if end > now else (0, 0)

    def _make_room(self, now: float) -> None:
        if len(self._counters) >= self.max_counters:
            self._counters = {name: entry for name, entry in self._counters.items() if entry[1] > now}
        if len(self._counters) >= self.max_counters:
            self._counters.clear()


local = LocalCounters()


def network(address: str | None) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one customer has of IPv6."""
    if address is None:
        return "local"
    if ":" in address:
        return str(ip_network(f"{address}/64", strict=False).network_address)
    return address


async def count_request(cache: Cache, counter: str, limit: int) -> Allowance:
    """Count one request of a user or an address, whose counter's name is given."""
    try:
        count, left = await cache.script(COUNT, [counter], [WINDOW])
    except CacheUnavailable:
        count, left = local.count(counter, WINDOW)
    return allowance(limit, count, left)
