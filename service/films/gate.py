"""Lets calls out to a service that takes only so many a second, and none for a while when it keeps failing.

Counted in Valkey for all workers, on its clock. A call holds one of the places from its start until a window
after its end. So whenever a call starts, at most `places` - 1 others can have reached the service within the
last window, however long any of them was on its way.

After `BREAK_AFTER` failures in a row nobody is let out for `PAUSE`; then one call is, to see how it fares.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from service.background import Background
from service.cache import Cache, CacheUnavailable
from service.films.local_gate import BREAK_AFTER, PAUSE, LocalGate, Verdict

PLACES = 5
WINDOW = 1.0  # seconds
HOLD = 5.0  # seconds until the place of a worker that died in a call begins to be given back
POLL = 0.03  # seconds
REMEMBERED = 60  # seconds for which failures count as in a row

# KEYS: the calls by when their places are free, failures in a row, the pause, the call that tests.
# ARGV: the call, places, milliseconds until its place is free if it never ends, failures that break,
# milliseconds that it may test for. Returns a verdict and the milliseconds until it may be another.
ENTER = """
local left = redis.call('PTTL', KEYS[3])
if left > 0 then
  return {'closed', left}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return {'wait', redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] - now}
end
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[4])
    and not redis.call('SET', KEYS[4], ARGV[1], 'NX', 'PX', ARGV[5]) then
  return {'closed', redis.call('PTTL', KEYS[4])}
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'go', 0}
"""

# ARGV: the call, its outcome, the window in milliseconds, failures that break, the pause in milliseconds,
# seconds for which failures are remembered.
LEAVE = """
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


class GateClosed(Exception):
    """The service has failed too often; it is asked again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"closed for {seconds} seconds")
        self.seconds = seconds


Outcome = Literal["answered", "failed", "broken off"]


@dataclass(slots=True)
class Call:
    """A call under way. Its maker says how it ended; one that is broken off tells nothing of the service."""

    name: str
    outcome: Outcome = "broken off"


class UpstreamGate:
    """`name` is what its keys in Valkey begin with; `workers` share the places when Valkey is away."""

    def __init__(
        self,
        cache: Cache,
        background: Background,
        name: str,
        *,
        places: int = PLACES,
        window: float = WINDOW,
        pause: float = PAUSE,
        workers: int = 1,
    ) -> None:
        self._cache = cache
        self._background = background
        self._keys = [f"{name}:{part}" for part in ("calls", "failures", "pause", "test")]
        self._places = places
        self._window = window
        self._pause = pause
        # With more workers than places each gets one, for so much longer.
        self._local = LocalGate(max(1, places // workers), window * max(1.0, workers / places), pause=pause)
        self._is_away = False
        self._queue = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, name: str, *, within: float, spare: int = 0) -> AsyncIterator[Call]:
        """Around one call, which `name` tells from all others: wait for a turn, first come, first served.

        `spare` places are left to others.

        :raises TimeoutError: it did not come `within` so many seconds
        :raises GateClosed: the service fails
        """
        call = Call(name)
        async with asyncio.timeout(within), self._queue:  # only the first in the queue asks
            wait = await self._enter(call, self._places - spare)
            while wait > 0:
                # When a call of another worker ends, nothing here hears of it.
                await asyncio.sleep(min(wait, POLL))
                wait = await self._enter(call, self._places - spare)
        try:
            yield call
        finally:
            self._local.leave(call.name, call.outcome)
            # Not waited for: whoever made the call has its answer, or has run out of time.
            self._background.spawn(self._leave(call), name="end of a call")

    async def _enter(self, call: Call, places: int) -> float:
        """Seconds to wait; 0 if it is this call's turn."""
        try:
            verdict, left = await self._ask_valkey(call, places)
            self._is_away = False
        except CacheUnavailable:
            if not self._is_away:
                # What other workers have called within the last window is not known here.
                self._is_away = True
                self._local.fill()
            verdict, left = self._local.enter(call.name)
        if verdict == "closed":
            raise GateClosed(max(left, 0.0))
        return 0.0 if verdict == "go" else max(left, 0.001)

    async def _ask_valkey(self, call: Call, places: int) -> Verdict:
        hold = milliseconds(HOLD + self._window)
        verdict, left = await self._cache.script(
            ENTER, self._keys, [call.name, places, hold, BREAK_AFTER, hold]
        )
        return verdict.decode(), left / 1000

    async def _leave(self, call: Call) -> None:
        window, pause = milliseconds(self._window), milliseconds(self._pause)
        try:
            await self._cache.script(
                LEAVE, self._keys, [call.name, call.outcome, window, BREAK_AFTER, pause, REMEMBERED]
            )
        except CacheUnavailable:
            return


def milliseconds(seconds: float) -> int:
    return math.ceil(seconds * 1000)
