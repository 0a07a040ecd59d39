"""How many event streams an account has open, over all workers: each is a lease in Valkey while it is open.

The leases of a worker that died expire. While Valkey is away, each worker counts the streams of its own.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from service.cache import Cache, CacheUnavailable
from service.security.quotas import QuotaExceeded

# KEYS: the leases of an account, by when they expire. ARGV: the lease, the quota, milliseconds of a lease.
ACQUIRE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

# ARGV: the lease, milliseconds of a lease. A Valkey that has lost it gets it again.
RENEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

local_streams: Counter[int] = Counter()  # of this worker, by account


@dataclass(frozen=True, slots=True)
class StreamLeases:
    """For how many seconds a lease is valid, and how often it is renewed."""

    ttl: float = 45.0
    renewal: float = 15.0


LEASES = StreamLeases()


@asynccontextmanager
async def hold_stream(
    cache: Cache, account_id: int, quota: int, *, stream_id: uuid.UUID, leases: StreamLeases = LEASES
) -> AsyncIterator[None]:
    """Count a stream of an account while it is open, which is within this context.

    :raises QuotaExceeded: the account has `quota` streams open
    """
    key, lease, ttl = f"streams:{account_id}", str(stream_id), int(leases.ttl * 1000)
    try:
        has_room = await cache.script(ACQUIRE, [key], [lease, quota, ttl])
    except CacheUnavailable:
        has_room = local_streams[account_id] < quota
    if not has_room:
        raise QuotaExceeded(f"an account may have {quota} streams open; close some first")
    local_streams[account_id] += 1
    renewal = asyncio.create_task(_renew(cache, key, lease, ttl, leases.renewal), name="lease of a stream")
    try:
        yield
    finally:
        renewal.cancel()
        local_streams[account_id] -= 1
        if not local_streams[account_id]:
            del local_streams[account_id]
        with suppress(CacheUnavailable):
            await cache.run("ZREM", key, lease)


async def _renew(cache: Cache, key: str, lease: str, ttl: int, every: float) -> None:
    """Renew a lease until cancelled. One that Valkey can't take now is tried again."""
    while True:
        await asyncio.sleep(every)
        with suppress(CacheUnavailable):
            await cache.script(RENEW, [key], [lease, ttl])
