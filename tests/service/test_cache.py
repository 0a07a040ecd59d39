import time
from collections.abc import AsyncIterator

import pytest

from service.cache import PAUSE, Cache, CacheAway
from tests.wire import Wire, lay_wire


@pytest.fixture
async def wire(servers: tuple[str, str]) -> AsyncIterator[Wire]:
    async with lay_wire(servers[1]) as laid:
        yield laid


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


async def test_nobody_waits_for_a_valkey_that_hangs_but_the_first(wired: Cache, wire: Wire) -> None:
    await wired.run("PING")
    wire.hang()
    with pytest.raises(CacheAway):
        await wired.run("PING")
    begun = time.monotonic()
    for _ in range(100):
        with pytest.raises(CacheAway):
            await wired.script("return 7", [], [])
    assert time.monotonic() - begun < PAUSE / 4


async def test_it_is_found_again_when_it_is_back(wired: Cache, wire: Wire) -> None:
    wire.cut()
    with pytest.raises(CacheAway):
        await wired.run("PING")
    wire.mend()
    with pytest.raises(CacheAway):
        await wired.run("PING")
    assert await wired.script("return 7", [], [], insist=True) == 7
    assert await wired.run("PING")


async def test_it_is_asked_again_after_a_pause(
    wired: Cache, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.cut()
    with pytest.raises(CacheAway):
        await wired.run("PING")
    wire.mend()
    later = time.monotonic() + PAUSE
    monkeypatch.setattr("service.cache.time.monotonic", lambda: later)
    assert await wired.run("PING")
