"""Cores for queries: one account's queries compute one after the other, and nobody waits for ever."""

import asyncio

import pytest

from service.bounds.cores import Cores


class Query:
    """Counts who computes, and ends when it is told to."""

    def __init__(self, cores: Cores) -> None:
        self.cores = cores
        self.running: list[str] = []
        self.end = asyncio.Event()

    async def run(self, owner: str) -> None:
        async with self.cores.core(owner):
            self.running.append(owner)
            await self.end.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_accounts_queries_have_its_cores_and_others_have_theirs() -> None:
    query = Query(Cores(each=2, seconds=3600))
    tasks = [asyncio.create_task(query.run(owner)) for owner in ("a", "a", "a", "b")]
    await settle()
    assert query.running == ["a", "a", "b"]
    query.end.set()
    await asyncio.gather(*tasks)
    assert query.running == ["a", "a", "b", "a"]
    assert query.cores._owners == {}


async def test_a_query_that_has_waited_long_shares_a_core() -> None:
    query = Query(Cores(each=1, seconds=0.01))
    tasks = [asyncio.create_task(query.run("a")) for _ in range(3)]
    async with asyncio.timeout(60):
        while len(query.running) < 3:  # noqa: ASYNC110 - nothing else tells that all of them run
            await asyncio.sleep(0.01)
    query.end.set()
    await asyncio.gather(*tasks)
    assert query.cores._owners == {}


async def test_a_cancelled_wait_takes_no_core() -> None:
    query = Query(Cores(each=1, seconds=3600))
    first, second, third = (asyncio.create_task(query.run("a")) for _ in range(3))
    await settle()
    second.cancel()
    query.end.set()
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await second
    assert query.running == ["a", "a"]
    assert query.cores._owners == {}
