import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from service.cache import Cache, CacheTimes, CacheUnavailable
from tests.support.eventually import eventually
from tests.support.wire import Wire, lay_wire

TIMES = CacheTimes()


@pytest.fixture
async def wire(servers: tuple[str, str]) -> AsyncIterator[Wire]:
    async with lay_wire(servers[1]) as wire:
        yield wire


@pytest.fixture
async def wired(wire: Wire) -> AsyncIterator[Cache]:
    cache = Cache.connect(wire.url)
    yield cache
    await cache.close()


async def test_commands_and_scripts_answer(wired: Cache) -> None:
    assert await wired.run("PING") in (b"PONG", True)
    assert await wired.script("return {KEYS[1], ARGV[1]}", ["key"], [5]) == [b"key", b"5"]


async def test_a_script_is_sent_again_to_a_valkey_that_does_not_know_it(wired: Cache) -> None:
    assert await wired.script("return 7", [], []) == 7
    await wired.run("SCRIPT", "FLUSH")
    assert await wired.script("return 7", [], []) == 7


async def test_only_the_first_command_waits_for_a_valkey_that_hangs(wired: Cache, wire: Wire) -> None:
    await wired.run("PING")
    wire.hang()
    with pytest.raises(CacheUnavailable):
        await wired.run("PING")
    start = time.monotonic()
    for _ in range(100):
        with pytest.raises(CacheUnavailable):
            await wired.script("return 7", [], [])
    each_would_wait = TIMES.stall_ticks * TIMES.tick
    assert time.monotonic() - start < 100 * each_would_wait / 10


async def test_a_forced_command_finds_a_valkey_that_is_back(wired: Cache, wire: Wire) -> None:
    wire.cut()
    with pytest.raises(CacheUnavailable):
        await wired.run("PING")
    wire.mend()
    with pytest.raises(CacheUnavailable):
        await wired.run("PING")
    assert await wired.script("return 7", [], [], force=True) == 7
    assert await wired.run("PING")


async def test_a_valkey_that_is_away_is_probed_in_the_background_and_no_command_waits(wire: Wire) -> None:
    cache = Cache.connect(wire.url, times=CacheTimes(stall_ticks=2, pause=0.01))
    wire.hang()
    with capture_logs() as logs:
        assert not await answers(cache)
        start, waits = time.monotonic(), []
        while time.monotonic() < start + 5 * TIMES.tick:  # in which there are two probes
            sent = time.monotonic()
            assert not await answers(cache)
            waits.append(time.monotonic() - sent)
            await asyncio.sleep(0.001)
    assert sorted(waits)[len(waits) // 2] < TIMES.tick  # who waits does so for two
    assert [line["event"] for line in logs] == ["cache_away"]
    wire.mend()
    await eventually(lambda: answers(cache))
    await cache.close()


async def answers(cache: Cache) -> bool:
    try:
        return bool(await cache.run("PING"))
    except CacheUnavailable:
        return False


async def test_an_idle_connection_that_was_closed_is_opened_again(wired: Cache, wire: Wire) -> None:
    assert await wired.run("PING")
    wire.cut()
    wire.mend()
    for _ in range(1000):
        if await wired._idle[0].can_read():  # the end of the stream has come
            break
        await asyncio.sleep(0.001)
    assert await wired.run("PING")


async def test_many_at_once_take_turns_on_few_connections(servers: tuple[str, str]) -> None:
    few = Cache.connect(servers[1], connections=3)
    replies = await asyncio.gather(*(few.script("return ARGV[1]", [], [n]) for n in range(50)))
    assert replies == [str(n).encode() for n in range(50)]
    assert len(few._idle) <= 3
    await few.close()


async def test_an_abandoned_command_leaves_no_reply_for_the_next(wire: Wire) -> None:
    patient = Cache.connect(wire.url, times=CacheTimes(stall_ticks=2000))
    busy = "local n = 0 for i = 1, 2e7 do n = n + 1 end return 'late'"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await patient.script(busy, [], [])
    assert await patient.script("return 'mine'", [], []) == b"mine"
    await patient.close()
