"""The writer of single visits: who waits is served by whoever writes, and nobody is forgotten."""

import asyncio
from collections.abc import Sequence

import pytest

from service.batcher import MAX_TOGETHER, VisitWriter
from service.visits.store import LiveVisit, Outcome, row_of
from tests.support.live_cases import live_visit


class Writes:
    """Stands for the database: remembers what came together, and goes on when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, visits: Sequence[LiveVisit]) -> list[Outcome]:
        self.batches.append([visit.page_url for visit in visits])
        self.begun.set()
        await self.go_on.wait()
        if self.error:
            raise self.error
        return [Outcome("created", row_of(visit)) for visit in visits]


async def begin(writer: VisitWriter, write: Writes, *page_urls: str) -> list[asyncio.Task[Outcome]]:
    """Writes of these pages, the first of which is under way while the others wait."""
    tasks = [asyncio.create_task(writer.write(live_visit(url), write)) for url in page_urls]
    await write.begun.wait()
    await asyncio.sleep(0)
    return tasks


async def told(tasks: list[asyncio.Task[Outcome]]) -> list[str]:
    return [outcome.row.page_url for outcome in await asyncio.gather(*tasks)]


async def test_those_who_wait_are_written_together_and_each_gets_its_own() -> None:
    write, writer = Writes(), VisitWriter()
    tasks = await begin(writer, write, "/a", "/b", "/c")
    write.go_on.set()
    assert await told(tasks) == ["/a", "/b", "/c"]
    assert write.batches == [["/a"], ["/b", "/c"]]
    assert (await writer.write(live_visit("/d"), write)).row.page_url == "/d"


async def test_no_more_than_so_many_are_written_together() -> None:
    write, writer = Writes(), VisitWriter()
    tasks = await begin(writer, write, *("/" for _ in range(2 + MAX_TOGETHER)))
    write.go_on.set()
    await told(tasks)
    assert [len(batch) for batch in write.batches] == [1, MAX_TOGETHER, 1]


async def test_an_error_reaches_those_whose_visits_were_written_and_no_others() -> None:
    write, writer = Writes(), VisitWriter()
    [first, *others] = await begin(writer, write, "/a", "/b", "/c")
    write.error = OSError("away")
    write.go_on.set()
    with pytest.raises(OSError, match="away"):
        await first
    for task in others:
        with pytest.raises(OSError, match="away"):
            await task
    write.error = None
    assert (await writer.write(live_visit("/d"), write)).status == "created"


@pytest.mark.parametrize("gone", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
async def test_who_goes_away_leaves_the_others_served(gone: tuple[int, ...]) -> None:
    write, writer = Writes(), VisitWriter()
    tasks = await begin(writer, write, "/a", "/b", "/c")
    for index in gone:
        tasks[index].cancel()
    write.go_on.set()
    for index, task in enumerate(tasks):
        if index in gone:
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert (await task).status == "created"
    assert (await asyncio.wait_for(writer.write(live_visit("/d"), write), 5)).status == "created"


async def test_who_goes_away_when_its_turn_comes_passes_the_turn_on() -> None:
    write, writer = Writes(), VisitWriter()
    [first, second, third] = await begin(writer, write, "/a", "/b", "/c")
    first.add_done_callback(lambda _: second.cancel())
    write.go_on.set()
    assert (await first).status == "created"
    assert (await asyncio.wait_for(third, 5)).row.page_url == "/c"
    await asyncio.gather(second, return_exceptions=True)
