"""How many streams of /live an account has open at a time, over all workers."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import aiohttp
import pytest

from service.cache import Cache
from service.deps import Deps
from service.live_counts import LiveCounts, LiveTiming
from service.security.quotas import QuotaExceeded, Quotas
from service.security.streams import StreamLeases, hold_stream, local_streams
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp, make_unserved_app, serve
from tests.support.live_stream import listening

QUOTA = 3
PATIENCE = 20.0  # seconds
SHORT = StreamLeases(ttl=2.0, renewal=0.1)


@pytest.fixture(autouse=True)
def small_quota(server: RunningApp, deps: Deps) -> Deps:
    small = replace(deps, quotas=Quotas(streams=QUOTA), live=LiveCounts(LiveTiming(interval=0.1)))
    server.use(small)
    return small


@pytest.fixture
async def second_worker(small_quota: Deps) -> AsyncIterator[aiohttp.ClientSession]:
    """A connection to another worker on the same PostgreSQL and Valkey."""
    async with serve(make_unserved_app()) as second:
        second.use(replace(small_quota, live=LiveCounts(LiveTiming(interval=0.1))))
        async with aiohttp.ClientSession(second.url) as session:
            yield session


async def becomes(expected: int, look: Callable[[], Awaitable[int]]) -> bool:
    """Wait until there are so many; returns whether there ever are."""
    for _ in range(int(PATIENCE / 0.05)):
        if await look() == expected:
            return True
        await asyncio.sleep(0.05)
    return False


async def leases(cache: Cache, user: User) -> int:
    return int(await cache.run("ZCARD", f"streams:{user.id}"))


async def test_an_account_has_so_many_streams_open_over_two_workers(
    user: User, other_user: User, second_worker: aiohttp.ClientSession, cache: Cache
) -> None:
    elsewhere = Client(second_worker, user.token)
    async with asyncio.timeout(2 * PATIENCE), AsyncExitStack() as streams:
        for client in (user.client, elsewhere, user.client):
            await streams.enter_async_context(listening(client))
        for client in (user.client, elsewhere):
            refusal = await client.get("/live")
            assert (refusal.status, refusal.code) == (409, "quota_exceeded")
        async with listening(other_user.client) as listener:
            assert await listener.next_state()
        await streams.aclose()
        assert await becomes(0, lambda: leases(cache, user))
        async with listening(elsewhere) as listener:
            assert await listener.next_state()
    assert local_streams.keys() <= {user.id, other_user.id}


async def test_many_at_once_do_not_exceed_it(user: User, second_worker: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {user.token}"}
    async with asyncio.timeout(2 * PATIENCE):
        responses = await asyncio.gather(
            *(
                session.get("/live", headers=headers)
                for session in (user.client.session, second_worker)
                for _ in range(2 * QUOTA)
            )
        )
    assert sorted(response.status for response in responses) == [200] * QUOTA + [409] * 3 * QUOTA
    for response in responses:
        response.close()


async def test_a_key_counts_for_its_account(user: User, client: Client) -> None:
    key = (await user.client.post("/keys", json={"name": "k", "scopes": ["live:read"]})).json["key"]
    async with asyncio.timeout(2 * PATIENCE), AsyncExitStack() as streams:
        for _ in range(QUOTA):
            await streams.enter_async_context(listening(client.signed_in(key)))
        assert (await user.client.get("/live")).code == "quota_exceeded"


async def test_each_worker_counts_its_own_without_valkey(
    user: User, server: RunningApp, small_quota: Deps, cache: Cache
) -> None:
    async with asyncio.timeout(2 * PATIENCE), AsyncExitStack() as streams:
        server.use(replace(small_quota, cache=Cache.connect("redis://127.0.0.1:1")))
        for _ in range(QUOTA):
            await streams.enter_async_context(listening(user.client))
        assert (await user.client.get("/live")).code == "quota_exceeded"


async def hold(cache: Cache, quota: int, until: asyncio.Event, held: asyncio.Event) -> None:
    async with hold_stream(cache, 7, quota, stream_id=uuid.uuid4(), leases=SHORT):
        held.set()
        await until.wait()


async def test_a_lease_is_renewed_while_its_stream_is_open_and_one_of_a_dead_worker_expires(
    cache: Cache,
) -> None:
    until, held = asyncio.Event(), asyncio.Event()
    stream = asyncio.create_task(hold(cache, 1, until, held))
    await held.wait()
    await asyncio.sleep(1.5 * SHORT.ttl)
    with pytest.raises(QuotaExceeded):
        await hold(cache, 1, until, held)
    await cache.run("FLUSHALL")  # it comes again with the next renewal

    async def count() -> int:
        return int(await cache.run("ZCARD", "streams:7"))

    assert await becomes(1, count)
    until.set()
    await stream
    assert await count() == 0
    await cache.run("ZADD", "streams:7", 1, "of a worker that died long ago")
    await hold(cache, 1, until, held)
    assert local_streams[7] == 0


async def test_no_stream_is_open_with_a_quota_of_none(cache: Cache) -> None:
    with pytest.raises(QuotaExceeded):
        await hold(cache, 0, asyncio.Event(), asyncio.Event())
