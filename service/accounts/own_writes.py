"""Who wrote reads what it wrote: the position in the log of the last write of each account.

Positions are kept in Valkey, for all workers of all servers. Where Valkey does not answer, or has been
emptied a moment ago, nobody knows what an account must see of a replica: then the primary is read.
"""

import asyncio

from service.cache import Cache, CacheUnavailable
from service.deps import Deps

KEPT = 60  # seconds; a replica that is further behind than 10 is not read from
FRESH = 15  # seconds for which a Valkey that was emptied does not count
RETRIES, PAUSE = 30, 0.5  # while Valkey is away: for as long as KEPT needs no more

# KEYS: the position of an account. ARGV: a position, seconds to keep it. Writes may be noted in any order.
NOTE = """
local before = tonumber(redis.call('GET', KEYS[1]) or '0')
if before < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
"""
# KEYS: the position of an account, and since when positions have been kept. ARGV: FRESH.
# Returns -1 if they have not been kept for long enough.
FIND = """
local now = tonumber(redis.call('TIME')[1])
local since = redis.call('GET', KEYS[2])
if not since then
  redis.call('SET', KEYS[2], now)
end
if not since or now - tonumber(since) < tonumber(ARGV[1]) then
  return '-1'
end
return redis.call('GET', KEYS[1]) or '0'
"""
SINCE = "written:since"


async def note_write(deps: Deps, account_id: int) -> None:
    """Note that all that has been committed until now may be an account's."""
    position = await deps.db.select_position()
    try:
        await put(deps.cache, account_id, position)
    except CacheUnavailable:
        deps.background.spawn(put_later(deps.cache, account_id, position), name="note of a write")


async def put(cache: Cache, account_id: int, position: int) -> None:
    await cache.script(NOTE, [key_of(account_id)], [str(position), KEPT])


async def put_later(cache: Cache, account_id: int, position: int) -> None:
    """Note a write when Valkey is back: others may have reached it meanwhile, and read the replica again."""
    for _ in range(RETRIES):
        await asyncio.sleep(PAUSE)
        try:
            await put(cache, account_id, position)
        except CacheUnavailable:
            continue
        return


async def find_position(cache: Cache, account_id: int, *, fresh: int = FRESH) -> int | None:
    """Return what an account must see of the log; None if that is not known."""
    try:
        position = int(await cache.script(FIND, [key_of(account_id), SINCE], [fresh]))
    except CacheUnavailable:
        return None
    return None if position < 0 else position


def key_of(account_id: int) -> str:
    return f"written:{account_id}"
