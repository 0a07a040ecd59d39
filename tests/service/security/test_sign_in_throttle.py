import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from service.cache import Cache
from service.errors import TooMany
from service.security.sign_in_throttle import LIMITS, SignInLimits, local_failures, throttle_sign_in

HOME, OFFICE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(params=["valkey", "away"])
async def any_cache(request: pytest.FixtureRequest, cache: Cache) -> AsyncIterator[Cache]:
    """Valkey as it should be, and away."""
    local_failures.clear()
    away = Cache.connect("redis://127.0.0.1:1")
    yield cache if request.param == "valkey" else away
    await away.close()


async def fail(cache: Cache, login: str = "anna", address: str | None = HOME, *, times: int = 1) -> None:
    for _ in range(times):
        async with throttle_sign_in(cache, login, address, uuid.uuid4()) as attempt:
            attempt.outcome = "failed"


async def succeed(cache: Cache, login: str = "anna", address: str | None = HOME) -> None:
    async with throttle_sign_in(cache, login, address, uuid.uuid4()) as attempt:
        attempt.outcome = "succeeded"


async def test_five_failures_of_an_account_from_an_address_are_enough(any_cache: Cache) -> None:
    await fail(any_cache, times=LIMITS.per_account)
    for sign_in in (fail, succeed):
        with pytest.raises(TooMany) as refusal:
            await sign_in(any_cache)
        assert LIMITS.window - 5 <= refusal.value.retry_after <= LIMITS.window


async def test_the_owner_is_not_locked_out_elsewhere(any_cache: Cache) -> None:
    await fail(any_cache, times=LIMITS.per_account)
    await succeed(any_cache, address=OFFICE)
    await fail(any_cache, login="boris")


async def test_a_hundred_failures_from_an_address_are_enough_for_any_account(any_cache: Cache) -> None:
    for number in range(LIMITS.per_address):
        await fail(any_cache, login=f"user{number}")
    with pytest.raises(TooMany):
        await fail(any_cache, login="anna")
    await fail(any_cache, login="anna", address=OFFICE)


async def test_one_network_of_ipv6_is_one_address(any_cache: Cache) -> None:
    for number in range(LIMITS.per_account):
        await fail(any_cache, address=f"2001:db8::{number}")
    with pytest.raises(TooMany):
        await fail(any_cache, address="2001:db8::ffff")
    await fail(any_cache, address="2001:db8:0:1::1")


async def test_success_begins_anew_for_the_account(cache: Cache) -> None:
    await fail(cache, times=LIMITS.per_account - 1)
    await succeed(cache)
    await fail(cache, times=LIMITS.per_account)
    with pytest.raises(TooMany):
        await fail(cache)


async def test_an_attempt_that_broke_off_is_no_failure(cache: Cache) -> None:
    for _ in range(LIMITS.per_account + 1):
        with pytest.raises(OSError, match="no database"):
            async with throttle_sign_in(cache, "anna", HOME, uuid.uuid4()):
                raise OSError("no database")
    await succeed(cache)


async def test_guesses_at_once_get_no_more_tries(cache: Cache) -> None:
    async def guess() -> str:
        try:
            async with throttle_sign_in(cache, "anna", HOME, uuid.uuid4()) as attempt:
                await asyncio.sleep(0.02)
                attempt.outcome = "failed"
        except TooMany:
            return "refused"
        return "tried"

    outcomes = await asyncio.gather(*(guess() for _ in range(30)))
    assert outcomes.count("tried") == LIMITS.per_account


async def test_many_right_sign_ins_at_once_all_succeed(cache: Cache) -> None:
    async def sign_in() -> None:
        async with throttle_sign_in(cache, "anna", HOME, uuid.uuid4()) as attempt:
            await asyncio.sleep(0.02)
            attempt.outcome = "succeeded"

    await asyncio.gather(*(sign_in() for _ in range(20)))


async def test_attempts_of_a_worker_that_died_do_not_lock_out_for_long(cache: Cache) -> None:
    short = SignInLimits(attempt_ttl=1)
    attempts = [throttle_sign_in(cache, "anna", HOME, uuid.uuid4(), short) for _ in range(short.per_account)]
    for one in attempts:
        await one.__aenter__()  # and the worker is killed
    await asyncio.wait_for(succeed(cache), 3)
    for one in attempts:
        await one.__aexit__(None, None, None)
