"""The batcher: waiters are served by whoever writes, and none is forgotten."""

import asyncio
from collections.abc import Sequence

import pytest

from service.batcher import MAX_BATCH, Batcher


class Writes:
    """Stands for the database: remembers the batches, and writes on when it is released."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.started, self.released = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, items: Sequence[str]) -> list[str]:
        self.batches.append(list(items))
        self.started.set()
        await self.released.wait()
        if self.error:
            raise self.error
        return [item.upper() for item in items]


async def start(batcher: Batcher[str, str], writes: Writes, *items: str) -> list[asyncio.Task[str]]:
    """Write these items, the first of which is under way while the others wait."""
    tasks = [asyncio.create_task(batcher.write(item, writes)) for item in items]
    await writes.started.wait()
    await asyncio.sleep(0)
    return tasks


async def test_waiters_are_written_together_and_each_gets_its_own_result() -> None:
    writes, batcher = Writes(), Batcher[str, str]()
    tasks = await start(batcher, writes, "a", "b", "c")
    writes.released.set()
    assert await asyncio.gather(*tasks) == ["A", "B", "C"]
    assert writes.batches == [["a"], ["b", "c"]]
    assert await batcher.write("d", writes) == "D"


async def test_a_batch_has_a_largest_size() -> None:
    writes, batcher = Writes(), Batcher[str, str]()
    tasks = await start(batcher, writes, *("a" for _ in range(2 + MAX_BATCH)))
    writes.released.set()
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in writes.batches] == [1, MAX_BATCH, 1]


async def test_an_error_reaches_the_callers_of_its_batch_and_no_others() -> None:
    writes, batcher = Writes(), Batcher[str, str]()
    [first, *others] = await start(batcher, writes, "a", "b", "c")
    writes.error = OSError("away")
    writes.released.set()
    with pytest.raises(OSError, match="away"):
        await first
    for task in others:
        with pytest.raises(OSError, match="away"):
            await task
    writes.error = None
    assert await batcher.write("d", writes) == "D"


@pytest.mark.parametrize("cancelled", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
async def test_a_cancelled_caller_leaves_the_others_served(cancelled: tuple[int, ...]) -> None:
    writes, batcher = Writes(), Batcher[str, str]()
    tasks = await start(batcher, writes, "a", "b", "c")
    for index in cancelled:
        tasks[index].cancel()
    writes.released.set()
    for index, task in enumerate(tasks):
        if index in cancelled:
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert await task == "ABC"[index]
    assert await asyncio.wait_for(batcher.write("d", writes), 5) == "D"


async def test_a_leader_that_is_cancelled_before_it_writes_passes_the_lead_on() -> None:
    writes, batcher = Writes(), Batcher[str, str]()
    [first, second, third] = await start(batcher, writes, "a", "b", "c")
    first.add_done_callback(lambda _: second.cancel())
    writes.released.set()
    assert await first == "A"
    assert await asyncio.wait_for(third, 5) == "C"
    await asyncio.gather(second, return_exceptions=True)
