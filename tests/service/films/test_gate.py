import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from service.background import Background
from service.cache import Cache
from service.films.gate import LIMITS, CircuitOpen, GateLimits, LocalGate, Outcome, UpstreamGate
from tests.support.eventually import eventually
from tests.support.fake_clock import Clock
from tests.support.wire import lay_wire

WINDOW = 0.2  # seconds


@pytest.fixture
async def background() -> AsyncIterator[Background]:
    background = Background()
    yield background
    await background.close()


async def call(gate: UpstreamGate, name: str, *, outcome: Outcome = "answered", lasts: float = 0.0) -> float:
    """Make a call, and return a time by which it has reached the service."""
    async with gate.acquire(name, within=5) as permit:
        await asyncio.sleep(lasts)
        reached = time.monotonic()
        permit.outcome = outcome
    return reached


async def test_no_more_calls_than_permits_reach_the_service_in_any_window_from_two_workers(
    cache: Cache, background: Background
) -> None:
    gates = [
        UpstreamGate(cache, background, "g", limits=GateLimits(permits=3, window=WINDOW)) for _ in range(2)
    ]
    calls = [call(gates[n % 2], f"c{n}", lasts=0.05 * (n % 3)) for n in range(11)]
    times = sorted(await asyncio.gather(*calls))
    assert all(later - earlier > WINDOW for earlier, later in zip(times, times[3:], strict=False))


async def test_permits_are_granted_in_the_order_of_the_calls(cache: Cache, background: Background) -> None:
    gate = UpstreamGate(cache, background, "g", limits=GateLimits(permits=1, window=0.02))
    order: list[int] = []

    async def one(number: int) -> None:
        async with gate.acquire(f"c{number}", within=5):
            order.append(number)

    await asyncio.gather(*(one(number) for number in range(6)))
    assert order == list(range(6))


async def test_a_call_that_gets_no_permit_in_time_is_given_up(cache: Cache, background: Background) -> None:
    gate = UpstreamGate(cache, background, "g", limits=GateLimits(permits=1))
    await call(gate, "first")
    with pytest.raises(TimeoutError):
        async with gate.acquire("second", within=0.05):
            pass


async def test_a_reserved_permit_is_left_to_others(cache: Cache, background: Background) -> None:
    gate = UpstreamGate(cache, background, "g", limits=GateLimits(permits=2))
    await call(gate, "first")
    with pytest.raises(TimeoutError):
        async with gate.acquire("patient", within=0.05, reserve=1):
            pass
    await call(gate, "hurried")  # which would raise TimeoutError


async def test_after_failures_in_a_row_nobody_calls_until_one_call_is_answered(
    cache: Cache, background: Background
) -> None:
    limits = GateLimits(permits=50, pause=3600)
    first, second = (UpstreamGate(cache, background, "g", limits=limits) for _ in range(2))
    for number in range(LIMITS.threshold - 1):
        await call(first, f"a{number}", outcome="failed")
    await call(first, "answered")
    for number in range(LIMITS.threshold):
        await call(second if number % 2 else first, f"b{number}", outcome="failed")

    async def has_paused() -> bool:
        return bool(await cache.run("EXISTS", "g:pause"))

    await eventually(has_paused)
    with pytest.raises(CircuitOpen) as error:
        await call(first, "too soon")
    assert 3500 < error.value.seconds <= 3600
    await cache.run("DEL", "g:pause")  # as if the hour were over
    async with first.acquire("probe", within=1) as probe:
        with pytest.raises(CircuitOpen):
            await call(second, "beside the probe")
        probe.outcome = "answered"

    async def has_healed() -> bool:
        return not await cache.run("EXISTS", "g:probe")

    await eventually(has_healed)
    await call(second, "after the probe")


async def test_without_valkey_a_worker_keeps_to_its_share_and_first_waits_for_a_window(
    servers: tuple[str, str], background: Background
) -> None:
    async with lay_wire(servers[1]) as wire:
        cache = Cache.connect(wire.url)
        limits = GateLimits(permits=4, window=WINDOW)
        gate = UpstreamGate(cache, background, "away", limits=limits, workers=2)
        wire.cut()
        start = time.monotonic()
        times = sorted(await asyncio.gather(*(call(gate, f"c{n}") for n in range(5))))
        assert times[0] - start >= WINDOW
        assert all(later - earlier >= WINDOW for earlier, later in zip(times, times[2:], strict=False))
        await cache.close()


def test_the_gate_of_a_process_breaks_and_heals_too() -> None:
    clock = Clock()
    gate = LocalGate(10, 1.0, clock=clock)
    for number in range(LIMITS.threshold):
        assert gate.acquire(f"c{number}") == ("granted", 0.0)
        gate.release(f"c{number}", "failed")
    assert gate.acquire("refused") == ("open", LIMITS.pause)
    clock.now += LIMITS.pause
    assert gate.acquire("probe")[0] == "granted"
    assert gate.acquire("beside")[0] == "open"
    gate.release("probe", "failed")
    assert gate.acquire("refused again")[0] == "open"
    clock.now += LIMITS.pause
    assert gate.acquire("second probe")[0] == "granted"
    gate.release("second probe", "answered")
    assert gate.acquire("closed")[0] == "granted"
