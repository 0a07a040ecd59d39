"""A throttle of sign-ins, which slows down guessing of passwords before they are hashed.

Too many failures of one account from one address, or from one address whatever the account, within a window
refuse further sign-ins. So the owner, at another address, is never locked out. Attempts whose password is
still being hashed may fail too: while those under way could reach the limit, others wait for their outcome.
Guesses sent all at once thus get no more tries than one after the other.
"""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from service.cache import Cache, CacheUnavailable
from service.errors import TooMany
from service.security.rate_limits import LocalCounters, network

# KEYS: failures of the account from the address, its attempts under way, and the same two of the address.
# ARGV: the attempt, the limits of both, seconds until the attempt no longer counts as under way.
BEGIN = """
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
return {'admitted', 0}
"""

# ARGV: the attempt, its outcome, the window in seconds.
FINISH = """
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


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """How many failures are allowed, and the times of the throttle in seconds."""

    per_account: int = 5  # from one address
    per_address: int = 100  # whatever the account
    window: int = 15 * 60  # from the first failure
    attempt_ttl: int = 30  # after which an attempt is taken for one of a worker that died
    poll: float = 0.05  # between looks whether attempts under way have ended


LIMITS = SignInLimits()


@dataclass(slots=True)
class Attempt:
    """A sign-in under way. The use case sets its outcome; one that is broken off counts as neither."""

    outcome: Literal["failed", "succeeded", "broken off"] = "broken off"


def account_subject(account_id: int) -> str:
    """Return what attempts at an account are counted by, whichever of its names they use."""
    return f"account:{account_id}"


def name_subject(key: str) -> str:
    """Return what attempts at a name are counted by that no account has."""
    return f"name:{key}"


@asynccontextmanager
async def throttle_sign_in(
    cache: Cache, subject: str, address: str | None, attempt_id: uuid.UUID, limits: SignInLimits = LIMITS
) -> AsyncIterator[Attempt]:
    """Admit one attempt at a password, which the caller hashes within this context.

    `subject` is what the attempt is counted by, beside its address.

    :raises TooMany: too many attempts have failed
    """
    client = network(address)
    account, client = f"sign-in:{client}:{subject}", f"sign-in:{client}"
    keys = [f"{account}:failed", f"{account}:under-way", f"{client}:failed", f"{client}:under-way"]
    await _begin(cache, keys, str(attempt_id), limits)
    attempt = Attempt()
    try:
        yield attempt
    finally:
        await _finish(cache, keys, str(attempt_id), attempt.outcome, limits)


async def _begin(cache: Cache, keys: list[str], attempt_id: str, limits: SignInLimits) -> None:
    """Wait until the attempt is admitted.

    :raises TooMany: the failures have reached a limit
    """
    most = (limits.per_account, limits.per_address)
    for _ in range(int(limits.attempt_ttl / limits.poll)):
        try:
            verdict, milliseconds = await cache.script(BEGIN, keys, [attempt_id, *most, limits.attempt_ttl])
        except CacheUnavailable:
            for key, limit in zip((keys[0], keys[2]), most, strict=True):
                failures, milliseconds = local_failures.peek(key)
                if failures >= limit:
                    raise _too_many(milliseconds) from None
            return
        if verdict == b"refused":
            raise _too_many(milliseconds)
        if verdict == b"admitted":
            return
        await asyncio.sleep(limits.poll)
    raise _too_many(1000)


async def _finish(cache: Cache, keys: list[str], attempt_id: str, outcome: str, limits: SignInLimits) -> None:
    try:
        await cache.script(FINISH, keys, [attempt_id, outcome, limits.window])
    except CacheUnavailable:
        if outcome == "failed":
            for key in (keys[0], keys[2]):
                local_failures.count(key, limits.window)


def _too_many(milliseconds_left: int) -> TooMany:
    """Make the error of a sign-in that is refused for so long."""
    return TooMany("too many failed sign-ins", retry_after=max(1, math.ceil(milliseconds_left / 1000)))
