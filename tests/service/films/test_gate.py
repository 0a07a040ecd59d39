import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from service.background import Background
from service.cache import Cache
from service.films.gate import GateClosed, Outcome, UpstreamGate
from service.films.local_gate import BREAK_AFTER, PAUSE, LocalGate
from tests.support.clock import Clock
from tests.support.wire import lay_wire

WINDOW = 0.2  # seconds
SPAN = 0.15


@pytest.fixture
async def background() -> AsyncIterator[Background]:
    made = Background()
    yield made
    await made.close()


async def call(gate: UpstreamGate, name: str, *, outcome: Outcome = "answered", lasts: float = 0.0) -> float:
    """Make a call. Returns when it had come to the service at the latest."""
    async with gate.turn(name, within=5) as turn:
        await asyncio.sleep(lasts)
        reached = time.monotonic()
        turn.outcome = outcome
    return reached


async def test_no_more_calls_than_places_reach_the_service_in_any_window_from_two_workers(
    cache: Cache, background: Background
) -> None:
    gates = [UpstreamGate(cache, background, "g", places=3, window=WINDOW) for _ in range(2)]
    calls = [call(gates[n % 2], f"c{n}", lasts=0.05 * (n % 3)) for n in range(11)]
    times = sorted(await asyncio.gather(*calls))
    assert all(later - earlier > WINDOW for earlier, later in zip(times, times[3:], strict=False))
    assert times[-1] - times[0] < 3


async def test_turns_come_in_the_order_in_which_they_are_asked_for(
    cache: Cache, background: Background
) -> None:
    gate = UpstreamGate(cache, background, "g", places=1, window=0.02)
    order: list[int] = []

    async def one(number: int) -> None:
        async with gate.turn(f"c{number}", within=5):
            order.append(number)

    await asyncio.gather(*(one(number) for number in range(6)))
    assert order == list(range(6))


async def test_a_turn_that_does_not_come_is_given_up(cache: Cache, background: Background) -> None:
    gate = UpstreamGate(cache, background, "g", places=1, window=1)
    await call(gate, "first")
    with pytest.raises(TimeoutError):
        async with gate.turn("second", within=0.05):
            pass


async def test_a_spare_place_is_left_to_others(cache: Cache, background: Background) -> None:
    gate = UpstreamGate(cache, background, "g", places=2, window=1)
    await call(gate, "first")
    with pytest.raises(TimeoutError):
        async with gate.turn("patient", within=0.05, spare=1):
            pass
    await asyncio.wait_for(call(gate, "hurried"), 0.5)


async def test_after_failures_in_a_row_nobody_calls_until_one_call_is_answered(
    cache: Cache, background: Background
) -> None:
    first, second = (
        UpstreamGate(cache, background, "g", places=50, window=0.01, pause=SPAN) for _ in range(2)
    )
    for number in range(BREAK_AFTER - 1):
        await call(first, f"a{number}", outcome="failed")
    await call(first, "answered")
    for number in range(BREAK_AFTER):
        await call(second if number % 2 else first, f"b{number}", outcome="failed")
    await asyncio.sleep(0.02)
    with pytest.raises(GateClosed) as closed:
        await call(first, "too soon")
    assert 0 < closed.value.seconds <= SPAN
    await asyncio.sleep(SPAN)
    async with first.turn("test", within=1) as test:
        with pytest.raises(GateClosed):
            await call(second, "beside the test")
        test.outcome = "answered"
    await asyncio.sleep(0.02)
    await call(second, "after the test")


async def test_without_valkey_a_worker_keeps_to_its_share_and_first_waits_for_a_window(
    servers: tuple[str, str], background: Background
) -> None:
    async with lay_wire(servers[1]) as wire:
        cache = Cache.connect(wire.url)
        gate = UpstreamGate(cache, background, "away", places=4, window=WINDOW, workers=2)
        wire.cut()
        begun = time.monotonic()
        times = sorted(await asyncio.gather(*(call(gate, f"c{n}") for n in range(5))))
        assert times[0] - begun >= WINDOW
        assert all(later - earlier >= WINDOW for earlier, later in zip(times, times[2:], strict=False))
        await cache.close()


def test_the_gate_of_a_process_breaks_and_heals_too() -> None:
    clock = Clock()
    gate = LocalGate(10, 1.0, clock=clock)
    for number in range(BREAK_AFTER):
        assert gate.enter(f"c{number}") == ("go", 0.0)
        gate.leave(f"c{number}", "failed")
    assert gate.enter("closed") == ("closed", PAUSE)
    clock.now += PAUSE
    assert gate.enter("test")[0] == "go"
    assert gate.enter("beside")[0] == "closed"
    gate.leave("test", "failed")
    assert gate.enter("closed again")[0] == "closed"
    clock.now += PAUSE
    assert gate.enter("second test")[0] == "go"
    gate.leave("second test", "answered")
    assert gate.enter("healed")[0] == "go"
