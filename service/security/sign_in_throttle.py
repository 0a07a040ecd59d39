"""Slows down guessing of passwords, before they are hashed.

A sign-in is refused after `PAIR_LIMIT` failures of one account from one address, and after `ADDRESS_LIMIT`
failures from one address, within `WINDOW` of the first. So the owner, at another address, is never locked
out. Attempts that are still being hashed may fail too: once enough are under way for the limit to be reached,
others wait for their outcome. Guesses sent all at once thus get no more tries than one after the other.
"""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.cache import Cache, CacheUnavailable
from service.errors import TooMany
from service.security.rate_limits import LocalCounters, network

PAIR_LIMIT = 5
ADDRESS_LIMIT = 100
WINDOW = 15 * 60  # seconds
ATTEMPT_LIFE = 30  # seconds until an attempt of a worker that died no longer counts as under way
POLL = 0.05  # seconds

# KEYS: failures of the pair, its attempts under way, and the same two of the address.
# ARGV: the attempt, the limits of both, seconds until the attempt is given up.
ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wait = false
for i = 1, 3, 2 do
  local limit = tonumber(ARGV[(i + 3) / 2])
  local failures = tonumber(redis.call('GET', KEYS[i]) or '0')
  if failures >= limit then
    return {'refused', redis.call('PTTL', KEYS[i])}
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[i + 1], '-inf', now)
  wait = wait or failures + redis.call('ZCARD', KEYS[i + 1]) >= limit
end
if wait then
  return {'wait', 0}
end
for i = 2, 4, 2 do
  redis.call('ZADD', KEYS[i], now + ARGV[4] * 1000, ARGV[1])
  redis.call('EXPIRE', KEYS[i], ARGV[4])
end
return {'entered', 0}
"""

# ARGV: the attempt, its outcome, the window in seconds.
LEAVE = """
for i = 1, 3, 2 do
  redis.call('ZREM', KEYS[i + 1], ARGV[1])
  if ARGV[2] == 'failed' and redis.call('INCR', KEYS[i]) == 1 then
    redis.call('EXPIRE', KEYS[i], ARGV[3])
  end
end
if ARGV[2] == 'succeeded' then
  redis.call('DEL', KEYS[1])
end
"""

local_failures = LocalCounters()


@dataclass(slots=True)
class Attempt:
    """A sign-in under way. Its use case says how it ended; one that is broken off counts as neither."""

    outcome: str = field(default="broken off")

    def failed(self) -> None:
        self.outcome = "failed"

    def succeeded(self) -> None:
        self.outcome = "succeeded"


@asynccontextmanager
async def attempt(
    cache: Cache, login_key: str, address: str | None, attempt_id: uuid.UUID
) -> AsyncIterator[Attempt]:
    """Around the hashing of a password.

    :raises TooMany: too many have failed
    """
    from_network = network(address)
    pair, of_address = f"sign-in:{from_network}:{login_key}", f"sign-in:{from_network}"
    keys = [f"{pair}:failed", f"{pair}:under-way", f"{of_address}:failed", f"{of_address}:under-way"]
    await _enter(cache, keys, str(attempt_id))
    running = Attempt()
    try:
        yield running
    finally:
        await _leave(cache, keys, str(attempt_id), running.outcome)


async def _enter(cache: Cache, keys: list[str], attempt_id: str) -> None:
    limits = (PAIR_LIMIT, ADDRESS_LIMIT)
    for _ in range(int(ATTEMPT_LIFE / POLL)):
        try:
            verdict, left = await cache.script(ENTER, keys, [attempt_id, *limits, ATTEMPT_LIFE])
        except CacheUnavailable:
            for key, limit in zip((keys[0], keys[2]), limits, strict=True):
                count, left = local_failures.look(key)
                _refuse_if(count >= limit, left)
            return
        _refuse_if(verdict == b"refused", left)
        if verdict == b"entered":
            return
        await asyncio.sleep(POLL)
    _refuse_if(True, 1000)


async def _leave(cache: Cache, keys: list[str], attempt_id: str, outcome: str) -> None:
    try:
        await cache.script(LEAVE, keys, [attempt_id, outcome, WINDOW])
    except CacheUnavailable:
        if outcome == "failed":
            for key in (keys[0], keys[2]):
                local_failures.count(key, WINDOW)


def _refuse_if(refused: bool, milliseconds: int) -> None:
    if refused:
        raise TooMany("too many failed sign-ins", retry_after=max(1, math.ceil(milliseconds / 1000)))
