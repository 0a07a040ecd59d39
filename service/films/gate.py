"""A gate in front of a service that accepts few calls a second, and is left alone while it keeps failing.

Permits are counted in Valkey for all workers, on its clock. A call holds its permit from its start until a
window after its end. So whenever a call starts, at most `permits` - 1 others can have reached the service
within the last window, however long any of them was on its way.

A circuit breaker stands behind the permits: after `threshold` failures in a row it is open for `pause`, then
half-open for one call. While Valkey is away each worker keeps to its share of the permits on its own.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from service.background import Background
from service.cache import Cache, CacheUnavailable
from service.circuit_breaker import CircuitBreaker

# KEYS: the permits by when they end, failures in a row, the pause, the probe.
# ARGV: the call, permits, milliseconds until its permit ends if the call never does, failures that open the
# breaker, milliseconds that a probe may take.
# Returns a verdict, and the milliseconds until it may be another.
ACQUIRE = """
local remaining = redis.call('PTTL', KEYS[3])
if remaining > 0 then
  return {'open', remaining}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return {'wait', redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] - now}
end
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[4])
    and not redis.call('SET', KEYS[4], ARGV[1], 'NX', 'PX', ARGV[5]) then
  return {'open', redis.call('PTTL', KEYS[4])}
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'granted', 0}
"""

# ARGV: the call, its outcome, the window in milliseconds, failures that open the breaker, the pause in
# milliseconds, seconds after which failures no longer count as in a row.
RELEASE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[3] + 1, ARGV[1])
if redis.call('GET', KEYS[4]) == ARGV[1] then
  redis.call('DEL', KEYS[4])
end
if ARGV[2] == 'answered' then
  redis.call('DEL', KEYS[2])
elseif ARGV[2] == 'failed' then
  local failures = redis.call('INCR', KEYS[2])
  redis.call('EXPIRE', KEYS[2], ARGV[6])
  if failures >= tonumber(ARGV[4]) then
    redis.call('SET', KEYS[3], 1, 'PX', ARGV[5])
  end
end
"""

Verdict = tuple[Literal["granted", "wait", "open"], float]  # and the seconds until it may be another
Outcome = Literal["answered", "failed", "broken off"]


class CircuitOpen(Exception):
    """The service has failed too often. It is called again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"circuit open for {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class GateLimits:
    """How many calls are let through. Times are in seconds."""

    permits: int = 5  # calls in a window
    window: float = 1.0
    longest_call: float = 5.0  # after which the permit of a call ends as if it had: its worker has died
    threshold: int = 5  # failures in a row that open the breaker
    pause: float = 2.0  # for which the breaker stays open
    memory: int = 60  # for which a failure counts as in a row with the next
    poll: float = 0.03


LIMITS = GateLimits()


@dataclass(slots=True)
class Call:
    """A call under way. Its caller sets the outcome; one that is broken off says nothing of the service."""

    name: str
    outcome: Outcome = "broken off"


class LocalGate:
    """The gate of one process, for while Valkey is away: the same rules, on the monotonic clock."""

    def __init__(
        self,
        permits: int,
        window: float,
        *,
        limits: GateLimits = LIMITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._permits = permits
        self._window = window
        self._pause = limits.pause
        self._breaker = CircuitBreaker(threshold=limits.threshold, pause=limits.pause, clock=clock)
        self._clock = clock
        self._calls: dict[str, float] = {}  # when the permit of each ends; infinite while it is under way

    def acquire(self, call: str) -> Verdict:
        """Take a permit if there is one and the breaker lets the call through."""
        if seconds := self._breaker.seconds_open():
            return "open", seconds
        now = self._drop_ended()
        if len(self._calls) >= self._permits:
            return "wait", min(self._calls.values()) - now
        if not self._breaker.admit(call):
            return "open", self._pause
        self._calls[call] = math.inf
        return "granted", 0.0

    def release(self, call: str, outcome: Outcome) -> None:
        """End a call. Those that Valkey let through are counted too, as it may go away next."""
        self._calls[call] = self._clock() + self._window
        self._drop_ended()
        self._breaker.release(call)
        if outcome == "answered":
            self._breaker.record_success()
        elif outcome == "failed":
            self._breaker.record_failure()

    def fill(self) -> None:
        """Take all permits for a window, so that no call passes."""
        end = self._clock() + self._window
        self._calls |= {f"unknown {number}": end for number in range(self._permits)}

    def _drop_ended(self) -> float:
        """Drop the permits that have ended. Return the time."""
        now = self._clock()
        self._calls = {call: end for call, end in self._calls.items() if end > now}
        return now


class UpstreamGate:
    """The gate of one service, whose keys in Valkey begin with `name`.

    :param workers: how many share the permits while Valkey is away
    """

    def __init__(
        self,
        cache: Cache,
        background: Background,
        name: str,
        *,
        limits: GateLimits = LIMITS,
        workers: int = 1,
    ) -> None:
        self._cache = cache
        self._background = background
        self._keys = [f"{name}:{part}" for part in ("calls", "failures", "pause", "probe")]
        self._limits = limits
        # With more workers than permits each gets one, for so much longer.
        share, stretch = max(1, limits.permits // workers), max(1.0, workers / limits.permits)
        self._local = LocalGate(share, limits.window * stretch, limits=limits)
        self._is_local = False
        self._queue = asyncio.Lock()

    @asynccontextmanager
    async def acquire(self, name: str, *, within: float, reserve: int = 0) -> AsyncIterator[Call]:
        """Hold a permit around one call, whose name no other call has. First come, first served.

        `reserve` permits are left to others.

        :raises TimeoutError: no permit was free `within` so many seconds
        :raises CircuitOpen: the service fails
        """
        call = Call(name)
        async with asyncio.timeout(within), self._queue:  # only the first in the queue asks
            seconds = await self._try_acquire(call, self._limits.permits - reserve)
            while seconds > 0:
                # When a call of another worker ends, nothing here hears of it.
                await asyncio.sleep(min(seconds, self._limits.poll))
                seconds = await self._try_acquire(call, self._limits.permits - reserve)
        try:
            yield call
        finally:
            self._local.release(call.name, call.outcome)
            # Not awaited: the caller has its answer, or has run out of time.
            self._background.spawn(self._release(call), name="end of a call")

    async def _try_acquire(self, call: Call, permits: int) -> float:
        """Return 0 if the call has its permit, else the seconds to wait."""
        try:
            verdict, seconds = await self._acquire_in_valkey(call, permits)
            self._is_local = False
        except CacheUnavailable:
            if not self._is_local:
                # What other workers have called within the last window is not known here.
                self._is_local = True
                self._local.fill()
            verdict, seconds = self._local.acquire(call.name)
        if verdict == "open":
            raise CircuitOpen(max(seconds, 0.0))
        return 0.0 if verdict == "granted" else max(seconds, 0.001)

    async def _acquire_in_valkey(self, call: Call, permits: int) -> Verdict:
        limits = self._limits
        longest = milliseconds(limits.longest_call + limits.window)
        verdict, remaining = await self._cache.script(
            ACQUIRE, self._keys, [call.name, permits, longest, limits.threshold, longest]
        )
        return verdict.decode(), remaining / 1000

    async def _release(self, call: Call) -> None:
        """Give back the permit of a call, with its outcome for the breaker. Without Valkey it expires."""
        limits = self._limits
        window, pause = milliseconds(limits.window), milliseconds(limits.pause)
        try:
            await self._cache.script(
                RELEASE,
                self._keys,
                [call.name, call.outcome, window, limits.threshold, pause, limits.memory],
            )
        except CacheUnavailable:
            return


def milliseconds(seconds: float) -> int:
    return math.ceil(seconds * 1000)
