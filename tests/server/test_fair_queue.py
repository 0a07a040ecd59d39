"""The order of requests in the event loop: a crowd of one address never holds up another."""

import asyncio

import pytest

from server.fair_queue import FairQueue

CROWD = 200


async def test_another_address_goes_on_before_the_rest_of_a_crowd() -> None:
    queue = FairQueue(at_once=2)
    order: list[str] = []

    async def request(address: str) -> None:
        await queue.wait(address)
        order.append(address)

    crowd = [asyncio.create_task(request("192.0.2.1")) for _ in range(CROWD)]
    await asyncio.sleep(0)
    other = asyncio.create_task(request("192.0.2.2"))
    await other
    assert len(order) < 10
    await asyncio.gather(*crowd)
    assert len(order) == CROWD + 1


async def test_no_more_go_on_in_a_round_than_may() -> None:
    queue = FairQueue(at_once=3)
    rounds: list[int] = []
    count = 0

    async def request() -> None:
        nonlocal count
        await queue.wait("192.0.2.1")
        count += 1

    crowd = [asyncio.create_task(request()) for _ in range(30)]
    while count < 30:
        before = count
        await asyncio.sleep(0)
        rounds.append(count - before)
    await asyncio.gather(*crowd)
    assert max(rounds) <= 3


async def test_who_is_alone_does_not_wait() -> None:
    queue = FairQueue(at_once=2)
    for _ in range(5):
        waiting = queue.wait("192.0.2.1")
        with pytest.raises(StopIteration):  # it ends without having waited
            waiting.send(None)
        await asyncio.sleep(0)


async def test_a_cancelled_request_takes_no_turn() -> None:
    queue = FairQueue(at_once=1)
    first, second, third = (asyncio.create_task(queue.wait("192.0.2.1")) for _ in range(3))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait_for(asyncio.gather(first, third), 60)
    assert second.cancelled()


async def test_its_rounds_end_when_nobody_waits() -> None:
    queue = FairQueue()
    await queue.wait("192.0.2.1")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert queue._round is None
