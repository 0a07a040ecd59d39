"""Sign-ups of strangers: their limits, and that they delay nobody's sign-in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count

import aiohttp
import pytest

from service.bounds import Bounds, HashPermits
from service.cache import Cache
from service.deps import Deps, RateLimits
from service.security.passwords import Hasher
from service.security.rate_limits import local_requests
from tests.support.eventually import eventually
from tests.support.http_client import Answer, Client, User
from tests.support.http_server import RunningApp

PASSWORD = "correct horse battery"
MINUTE = "rate:sign-up-minute:address:127.0.0.1"
numbers = count()


@pytest.fixture
def limited(server: RunningApp, deps: Deps) -> None:
    server.use(replace(deps, limits=RateLimits(default=1000)))


async def sign_up(client: Client, **fields: str) -> Answer:
    account = {"login": f"stranger{next(numbers)}", "password": PASSWORD, **fields}
    return await client.post("/register", json=account)


async def sign_up_often(client: Client, times: int) -> list[int]:
    return [(await sign_up(client)).status for _ in range(times)]


@pytest.mark.usefixtures("limited")
async def test_an_address_has_five_sign_ups_a_minute(client: Client, server: RunningApp, user: User) -> None:
    names = {"first_name": "A", "last_name": "B"}
    new = {"login": "stranger", "password": PASSWORD, **names}
    assert (await client.post("/user", json=new)).status == 201
    assert await sign_up_often(client, 4) == [201] * 4
    for refusal in (await sign_up(client), await client.post("/user", json={**new, "login": "other"})):
        assert (refusal.status, refusal.code) == (429, "rate_limited")
        assert 0 < int(refusal.headers["Retry-After"]) <= 60
        assert refusal.headers["RateLimit-Policy"] == '"sign-up-minute";q=5;w=60'
    assert (await client.post("/login", json={"login": "anna", "password": PASSWORD})).status == 200
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(server.url, connector=connector) as session:
        assert (await sign_up(Client(session))).status == 201


@pytest.mark.usefixtures("limited")
async def test_an_address_has_twenty_sign_ups_an_hour(client: Client, cache: Cache) -> None:
    for _ in range(4):
        assert await sign_up_often(client, 6) == [201] * 5 + [429]
        await cache.run("PEXPIRE", MINUTE, 0)
    refusal = await sign_up(client)
    assert (refusal.status, refusal.code) == (429, "rate_limited")
    assert 60 < int(refusal.headers["Retry-After"]) <= 3600


@pytest.mark.usefixtures("limited")
async def test_what_can_not_be_read_counts_for_no_sign_up_and_what_is_taken_does(
    client: Client, user: User
) -> None:
    assert [(await sign_up(client, password="short")).status for _ in range(6)] == [422] * 6
    assert [(await sign_up(client, login="anna")).status for _ in range(6)] == [409] * 5 + [429]


async def test_without_rate_limits_sign_ups_have_none(client: Client) -> None:
    assert await sign_up_often(client, 25) == [201] * 25


async def test_the_limit_holds_while_valkey_is_away(client: Client, server: RunningApp, deps: Deps) -> None:
    local_requests.clear()
    away = Cache.connect("redis://127.0.0.1:1")
    server.use(replace(deps, cache=away, limits=RateLimits(default=1000)))
    assert await sign_up_often(client, 6) == [201] * 5 + [429]
    await away.close()


async def test_admins_add_users_to_a_closed_installation_without_that_limit(
    admin: User, server: RunningApp, deps: Deps
) -> None:
    server.use(replace(deps, limits=RateLimits(default=1000), registration_open=False))
    assert await sign_up_often(admin.client, 6) == [201] * 6


@asynccontextmanager
async def all_permits(hasher: Hasher) -> AsyncIterator[None]:
    """Hold all permits of sign-ups, as sign-ups from as many addresses do."""
    async with AsyncExitStack() as stack:
        for number in range(hasher.permits.sign_ups.total):
            await stack.enter_async_context(hasher.permits.sign_ups.acquire(f"192.0.2.{number}"))
        yield


async def test_a_sign_in_does_not_wait_for_sign_ups(client: Client, user: User, deps: Deps) -> None:
    permits = deps.hasher.permits.sign_ups
    async with all_permits(deps.hasher):
        strangers = [asyncio.create_task(sign_up(client)) for _ in range(30)]

        async def all_wait() -> bool:
            return sum(queue.members for queue in permits._queues.values()) == permits.total + len(strangers)

        await eventually(all_wait)
        assert (await client.post("/login", json={"login": "anna", "password": PASSWORD})).status == 200
        changes = {"password": "another good one", "current_password": PASSWORD}
        assert (await user.client.patch("/profile", json=changes)).status == 200
        assert not any(stranger.done() for stranger in strangers)
    assert {answer.status for answer in await asyncio.gather(*strangers)} == {201}


async def test_a_taken_login_is_told_before_anything_is_hashed(
    client: Client, user: User, deps: Deps
) -> None:
    async with all_permits(deps.hasher):
        refusal = await sign_up(client, login="ANNA", email="new@shop.example")
        assert (refusal.status, refusal.code) == (409, "login_taken")
        await user.client.patch("/profile", json={"email": "anna@shop.example"})
        assert (await sign_up(client, email="ANNA@shop.example")).code == "email_taken"


async def test_a_sign_up_that_waits_too_long_is_refused(
    client: Client, server: RunningApp, deps: Deps
) -> None:
    hasher = Hasher(log_n=4, permits=HashPermits.make(Bounds(hash_seconds=0.05)))
    server.use(replace(deps, hasher=hasher))
    async with all_permits(hasher):
        refusal = await sign_up(client)
    assert (refusal.status, refusal.code) == (429, "too_many_at_once")
    assert "Retry-After" in refusal.headers
    assert (await sign_up(client)).status == 201


def test_sign_ups_have_at_most_half_of_the_hashes() -> None:
    bounds = Bounds()
    assert bounds.sign_up_hashes <= max(1, bounds.sign_in_hashes // 2)


async def test_one_address_does_not_take_all_hashes_of_sign_ins() -> None:
    permits = HashPermits.make(Bounds(sign_in_hashes=4, hash_seconds=0.05)).sign_ins
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(permits.acquire("192.0.2.1"))
        waiting = asyncio.create_task(permits.acquire("192.0.2.1").__aenter__())
        async with permits.acquire("192.0.2.2"):
            assert (permits.running, waiting.done()) == (4, False)
        await asyncio.gather(waiting, return_exceptions=True)
