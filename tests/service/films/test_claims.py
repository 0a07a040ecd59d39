import asyncio
from collections.abc import AsyncIterator

import pytest

from service.background import Background
from service.cache import Cache
from service.films.claims import LookupClaims

LONG = 60.0  # seconds: more than a test takes


@pytest.fixture
async def claims(cache: Cache) -> AsyncIterator[LookupClaims]:
    background = Background()
    yield LookupClaims(cache, background, "claims")
    await background.close()


async def test_a_claim_is_held_by_one_call_at_a_time(claims: LookupClaims) -> None:
    async with claims.hold("film:1", "a", within=LONG, longest=LONG):
        with pytest.raises(TimeoutError):
            async with claims.hold("film:1", "b", within=0.1, longest=LONG):
                pass
        async with claims.hold("film:2", "c", within=LONG, longest=LONG):
            pass
    async with asyncio.timeout(LONG / 2), claims.hold("film:1", "b", within=LONG, longest=LONG):
        pass


async def test_the_claim_of_a_worker_that_died_ends_by_itself(claims: LookupClaims, cache: Cache) -> None:
    await cache.run("SET", "claims:film:1", "a", "PX", 50)
    async with claims.hold("film:1", "b", within=LONG, longest=LONG):
        assert await cache.run("GET", "claims:film:1") == b"b"


async def test_a_claim_that_has_ended_by_itself_is_not_taken_from_the_next(
    claims: LookupClaims, cache: Cache
) -> None:
    async with claims.hold("film:1", "a", within=LONG, longest=LONG):
        await cache.run("SET", "claims:film:1", "b")
    with pytest.raises(TimeoutError):
        async with claims.hold("film:1", "c", within=0.3, longest=LONG):
            pass
