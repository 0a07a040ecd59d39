"""Copies of sessions and API keys in Valkey, so that a request costs one round trip to it.

The rows in PostgreSQL are the truth. A copy lives `COPY_LIFE`, on Valkey's own clock and from before its row
was read. Whoever ends or changes a session or a key commits first and then calls `forget`, which puts a mark
in the copy's place that says "ask PostgreSQL" for as long as an older copy could still be on its way. If
Valkey cannot be told, `forget` waits until every copy has died. So when a sign-out has been answered the
token is dead on all workers, whichever of them can reach Valkey and whatever Valkey has kept over a pause.

A copy that is in use is renewed before it dies: one request is told to read the row again, off its way.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from service.cache import Cache, CacheUnavailable
from service.security.rate_limits import WINDOW

COPY_LIFE = 2.0  # seconds
RENEW_WITHIN = 0.75  # seconds before its death
MARK = "?"

# KEYS: the copy. ARGV: what the counter of the copy's user begins with (empty: none), its window in seconds,
# milliseconds before its death within which the copy is to be renewed.
# Returns the count, the milliseconds left of its window, Valkey's time if there is no copy or this request is
# the one to renew it, and the copy: in one text, which is read in half the time of a list.
LOOK_UP = """
local copy = redis.call('GET', KEYS[1])
local missing = not copy or copy == '?'
local asked_at = 0
if missing or (redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3])
    and redis.call('SET', KEYS[1] .. ':renewing', 1, 'NX', 'PX', ARGV[3])) then
  local time = redis.call('TIME')
  asked_at = time[1] * 1000 + math.floor(time[2] / 1000)
end
if missing then
  return string.format('0 0 %d ', asked_at)
end
if ARGV[1] == '' then
  return string.format('0 0 %d ', asked_at) .. copy
end
local counter = ARGV[1] .. string.match(copy, '^%d+')
local count = redis.call('INCR', counter)
local left = redis.call('PTTL', counter)
if left < 0 then
  left = tonumber(ARGV[2]) * 1000
  redis.call('PEXPIRE', counter, left)
end
return string.format('%d %d %d ', count, left, asked_at) .. copy
"""

# KEYS: the copy. ARGV: what it must still be, until when it may live.
RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIREAT', KEYS[1], ARGV[2])
end
"""

# KEYS: the copies. ARGV: the mark, milliseconds for which it stands.
FORGET = """
for _, key in ipairs(KEYS) do
  redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
end
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What Valkey knows. `count` and `left` (milliseconds) are of the counter, if one was named.

    `asked_at` is 0 unless the row is to be read: then it is Valkey's time, for `keep` or `renew`.
    """

    copy: str = ""
    count: int = 0
    left: int = 0
    asked_at: int = 0


async def look_up(cache: Cache, name: str, counter: str) -> Found:
    """The copy, if there is one, and one request of its user counted. Nothing while Valkey is away."""
    try:
        reply = await cache.script(LOOK_UP, [name], [counter, WINDOW, int(RENEW_WITHIN * 1000)])
    except CacheUnavailable:
        return Found()
    count, left, asked_at, copy = reply.decode().split(" ", 3)
    return Found(copy, int(count), int(left), int(asked_at))


async def keep(cache: Cache, name: str, copy: str, asked_at: int) -> None:
    """Keep what was read after `asked_at`, unless a newer copy or a mark stands there."""
    with suppress(CacheUnavailable):
        await cache.run("SET", name, copy, "NX", "PXAT", _death(asked_at))


async def renew(cache: Cache, name: str, copy: str, asked_at: int) -> None:
    """Let the copy live on if it still says what was read after `asked_at`."""
    with suppress(CacheUnavailable):
        await cache.script(RENEW, [name], [copy, _death(asked_at)])


async def forget(cache: Cache, names: Sequence[str]) -> None:
    """Make what was just committed about these sessions or keys hold on all workers, before it returns."""
    if not names:
        return
    try:
        await cache.script(FORGET, names, [MARK, int(COPY_LIFE * 1000)], force=True)
    except CacheUnavailable:
        await asyncio.sleep(COPY_LIFE)


def _death(asked_at: int) -> int:
    return asked_at + int(COPY_LIFE * 1000)
