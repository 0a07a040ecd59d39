"""A cache of sessions and API keys in Valkey, so that a request costs one round trip to it.

The rows in PostgreSQL are the truth. An entry lives for `TTL`, on Valkey's own clock and from before its row
was read. Whoever ends or changes a session or a key commits first and then calls `invalidate`. That puts a
tombstone in the place of the entry: a miss that stands for as long as an older value could still arrive. If
Valkey does not answer, `invalidate` waits until every entry has expired. So once a sign-out is answered, the
token is dead on all workers, whichever of them reach Valkey and whatever Valkey has kept over a pause.

An entry in use is refreshed before it expires: one request is told to read the row again, in the background.
"""

import asyncio
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from service.cache import Cache, CacheUnavailable
from service.security.rate_limits import WINDOW

TTL = 2.0  # seconds
REFRESH_WITHIN = 0.75  # seconds before an entry expires
TOMBSTONE = "?"  # GET knows it too

# KEYS: the entry. ARGV: how the name of its user's counter begins (empty: count nothing), the window of the
# counter in seconds, milliseconds before the entry expires within which it is to be refreshed.
# Returns the count, the milliseconds left of its window, Valkey's time on a miss or if this request is to
# refresh the entry (else 0), and the value. They are one text, which is read in half the time of a list.
GET = """
local value = redis.call('GET', KEYS[1])
local miss = not value or value == '?'
local as_of = 0
if miss or (redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3])
    and redis.call('SET', KEYS[1] .. ':refreshing', 1, 'NX', 'PX', ARGV[3])) then
  local time = redis.call('TIME')
  as_of = time[1] * 1000 + math.floor(time[2] / 1000)
end
if miss then
  return string.format('0 0 %d ', as_of)
end
if ARGV[1] == '' then
  return string.format('0 0 %d ', as_of) .. value
end
local counter = ARGV[1] .. string.match(value, '^%d+')
local count = redis.call('INCR', counter)
local remaining = redis.call('PTTL', counter)
if remaining < 0 then
  remaining = tonumber(ARGV[2]) * 1000
  redis.call('PEXPIRE', counter, remaining)
end
return string.format('%d %d %d ', count, remaining, as_of) .. value
"""

# KEYS: the entry. ARGV: the value that it must still have, and when it will expire.
EXTEND = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIREAT', KEYS[1], ARGV[2])
end
"""

# KEYS: the entries. ARGV: the tombstone, and milliseconds for which it stands.
INVALIDATE = """
for _, key in ipairs(KEYS) do
  redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
end
"""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What Valkey holds of a credential: its value (empty on a miss), and its user's request count.

    `as_of` is 0 unless the caller is to read the row. Then it is Valkey's time before that, in milliseconds,
    which `put` and `extend` take.
    """

    value: str = ""
    count: int = 0
    milliseconds_left: int = 0  # of the window of the count
    as_of: int = 0


def session_entry(session_id: uuid.UUID) -> str:
    """Return the name of a session's entry."""
    return f"caller:{session_id}"


def api_key_entry(key_sha256: bytes) -> str:
    """Return the name of an API key's entry."""
    return f"caller:{key_sha256.hex()}"


async def get(cache: Cache, entry: str, counter: str) -> Lookup:
    """Read an entry. On a hit, count one request of its user, unless `counter` is empty.

    The name of the user's counter is `counter` and the user's id, with which the value begins. While Valkey
    is away, every look-up is a miss whose row is not to be cached.
    """
    try:
        reply = await cache.script(GET, [entry], [counter, WINDOW, int(REFRESH_WITHIN * 1000)])
    except CacheUnavailable:
        return Lookup()
    count, milliseconds, as_of, value = reply.decode().split(" ", 3)
    return Lookup(value, int(count), int(milliseconds), int(as_of))


async def put(cache: Cache, entry: str, value: str, as_of: int) -> None:
    """Cache a value that was read after `as_of`, unless a newer one or a tombstone is there."""
    with suppress(CacheUnavailable):
        await cache.run("SET", entry, value, "NX", "PXAT", _expiry(as_of))


async def extend(cache: Cache, entry: str, value: str, as_of: int) -> None:
    """Let an entry live longer, if its value still is what was read after `as_of`."""
    with suppress(CacheUnavailable):
        await cache.script(EXTEND, [entry], [value, _expiry(as_of)])


async def invalidate(
    cache: Cache, *, session_ids: Iterable[uuid.UUID] = (), key_digests: Iterable[bytes] = ()
) -> None:
    """Make what was just committed about sessions and API keys hold on all workers, before this returns."""
    entries = [*map(session_entry, session_ids), *map(api_key_entry, key_digests)]
    if not entries:
        return
    try:
        await cache.script(INVALIDATE, entries, [TOMBSTONE, int(TTL * 1000)], force=True)
    except CacheUnavailable:
        await asyncio.sleep(TTL)


def _expiry(as_of: int) -> int:
    return as_of + int(TTL * 1000)
