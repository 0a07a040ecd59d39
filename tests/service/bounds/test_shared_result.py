"""A result that a crowd shares."""

import asyncio

import pytest

from service.bounds.shared_result import SharedResult


class Work:
    """Counts its runs, each of which ends when it is told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.end = asyncio.Event()

    async def run(self) -> int:
        self.runs += 1
        number = self.runs
        await self.end.wait()
        return number


async def test_a_crowd_shares_one_run() -> None:
    shared, work = SharedResult[int](), Work()
    crowd = [asyncio.create_task(shared.get(work.run)) for _ in range(100)]
    await asyncio.sleep(0)
    work.end.set()
    assert await asyncio.gather(*crowd) == [1] * 100


async def test_a_result_serves_while_it_is_fresh() -> None:
    now = [0.0]
    shared, work = SharedResult[int](1.0, clock=lambda: now[0]), Work()
    work.end.set()
    results = []
    for now[0] in (0.0, 0.9, 1.0, 1.9, 2.1):
        results.append(await shared.get(work.run))
    assert results == [1, 1, 2, 2, 3]


async def test_a_run_that_takes_long_is_not_begun_again() -> None:
    now = [0.0]
    shared, work = SharedResult[int](1.0, clock=lambda: now[0]), Work()
    first = asyncio.create_task(shared.get(work.run))
    await asyncio.sleep(0)
    now[0] = 10.0
    second = asyncio.create_task(shared.get(work.run))
    await asyncio.sleep(0)
    work.end.set()
    assert (await first, await second, await shared.get(work.run)) == (1, 1, 2)


async def test_who_leaves_takes_the_result_from_nobody() -> None:
    shared, work = SharedResult[int](), Work()
    leaving, staying = (asyncio.create_task(shared.get(work.run)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    work.end.set()
    assert await staying == 1
    assert leaving.cancelled()


async def test_a_failure_is_not_kept() -> None:
    shared, work = SharedResult[int](60.0), Work()
    work.end.set()

    async def fail() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await shared.get(fail)
    assert await shared.get(work.run) == 1
