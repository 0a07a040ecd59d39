"""Claims of look-ups in Valkey: of workers that look up the same at once, one calls the service."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from service.background import Background
from service.cache import Cache, CacheUnavailable

POLL = 0.03  # seconds
# KEYS: the claim. ARGV: the call that may hold it.
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class LookupClaims:
    """Claims whose keys in Valkey begin with `name`. While Valkey is away, nobody waits for another."""

    def __init__(self, cache: Cache, background: Background, name: str) -> None:
        self._cache = cache
        self._background = background
        self._name = name

    @asynccontextmanager
    async def hold(self, lookup: str, call: str, *, within: float, longest: float) -> AsyncIterator[None]:
        """Hold the claim of a look-up around a call, whose name no other call has.

        :param within: seconds to wait for it
        :param longest: seconds after which it ends by itself, as its worker has died
        :raises TimeoutError: another call holds it for so long
        """
        key = f"{self._name}:{lookup}"
        async with asyncio.timeout(within):
            while True:
                if await self._claim(key, call, longest):
                    break
                await asyncio.sleep(POLL)  # of a claim that ends on another worker nothing here hears
        try:
            yield
        finally:
            # Not awaited: the caller has its answer, or has run out of time.
            self._background.spawn(self._release(key, call), name="end of a claim")

    async def _claim(self, key: str, call: str, longest: float) -> bool:
        try:
            return bool(await self._cache.run("SET", key, call, "NX", "PX", math.ceil(longest * 1000)))
        except CacheUnavailable:
            return True

    async def _release(self, key: str, call: str) -> None:
        with suppress(CacheUnavailable):
            await self._cache.script(RELEASE, [key], [call])
