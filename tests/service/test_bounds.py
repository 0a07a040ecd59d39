"""Permits: each account in a queue of its own, and never more at a time than there may be."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from service.bounds import Bounds, Permits, WorkPermits
from service.errors import TooMany
from tests.support.eventually import eventually


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks run until the condition holds."""

    async def holds() -> bool:
        return condition()

    await eventually(holds)


class Work:
    """Holds permits until it is told to end, and notes how many run at a time."""

    def __init__(self, permits: Permits) -> None:
        self.permits = permits
        self.running: Counter[int] = Counter()
        self.most: Counter[int] = Counter()
        self.most_in_all = 0
        self.end = asyncio.Event()

    async def run(self, account_id: int) -> str:
        try:
            async with self.permits.acquire(account_id):
                self.running[account_id] += 1
                self.most[account_id] = max(self.most[account_id], self.running[account_id])
                self.most_in_all = max(self.most_in_all, self.running.total())
                await self.end.wait()
                await asyncio.sleep(0)
                self.running[account_id] -= 1
        except TooMany as refusal:
            return refusal.code
        return "done"


async def test_an_account_has_its_share_and_others_are_served_beside_it() -> None:
    work = Work(Permits("reads", each=4, total=6, waiting=64, seconds=60))
    greedy = [asyncio.create_task(work.run(1)) for _ in range(24)]
    await until(lambda: work.running[1] == 4)
    other = asyncio.create_task(work.run(2))
    await until(lambda: work.running[2] == 1)
    work.end.set()
    assert await asyncio.gather(*greedy, other) == ["done"] * 25
    assert (work.most[1], work.most_in_all <= 6) == (4, True)
    assert (work.permits.running, work.permits._queues) == (0, {})


async def test_all_accounts_together_have_no_more_than_the_total() -> None:
    work = Work(Permits("reads", each=4, total=6, waiting=64, seconds=60))
    tasks = [asyncio.create_task(work.run(account_id % 10)) for account_id in range(60)]
    await until(lambda: work.running.total() == 6)
    work.end.set()
    assert await asyncio.gather(*tasks) == ["done"] * 60
    assert work.most_in_all == 6


async def test_no_permit_in_time_is_refused_and_leaves_nothing_behind() -> None:
    work = Work(Permits("reads", each=1, total=1, waiting=64, seconds=0.01))
    first = asyncio.create_task(work.run(1))
    await until(lambda: work.running[1] == 1)
    assert [*await asyncio.gather(work.run(1), work.run(2))] == ["too_many_at_once"] * 2
    work.end.set()
    assert await first == "done"
    assert await work.run(2) == "done"
    assert work.permits._queues == {}


async def test_more_than_may_wait_are_refused_at_once() -> None:
    work = Work(Permits("reads", each=1, total=1, waiting=2, seconds=3600))
    tasks = [asyncio.create_task(work.run(1)) for _ in range(3)]
    await until(lambda: work.running[1] == 1)
    assert await work.run(1) == "too_many_at_once"
    work.end.set()
    assert await asyncio.gather(*tasks) == ["done"] * 3


@pytest.mark.parametrize("waiting_for", ["account", "total"])
async def test_a_cancelled_wait_gives_its_place_back(waiting_for: str) -> None:
    each, total = (1, 9) if waiting_for == "account" else (9, 1)
    work = Work(Permits("reads", each=each, total=total, waiting=64, seconds=3600))
    first = asyncio.create_task(work.run(1))
    await until(lambda: work.running[1] == 1)
    waiting = [asyncio.create_task(work.run(1)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    work.end.set()
    assert await first == "done"
    assert await asyncio.gather(*(work.run(1) for _ in range(3))) == ["done"] * 3
    assert work.permits._queues == {}


def test_each_kind_of_work_has_its_own_bounds() -> None:
    permits = WorkPermits.make(Bounds(reads=3, exports=5))
    assert (permits.reads.total, permits.exports.total) == (3, 5)
