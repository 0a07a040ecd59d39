"""Loops that run forever beside the requests: again and again, one process at a time, after outages too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from db.database import Database
from db.locks import try_lock
from service.background import Schedule, run_exclusively, run_periodically
from tests.support.processes import PATIENCE

QUICK = Schedule(every=0.01, retry=0.01)
NEVER = 3600.0
LOCK = "a lock of this test"


class Passes:
    """Work that counts its runs; a run raises the error whose number it has."""

    def __init__(self, errors: dict[int, Exception] | None = None) -> None:
        self.count = 0
        self._errors = errors or {}
        self._run = asyncio.Condition()

    async def __call__(self) -> None:
        async with self._run:
            self.count += 1
            self._run.notify_all()
        if self.count in self._errors:
            raise self._errors[self.count]

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(10), self._run:
            await self._run.wait_for(lambda: self.count >= count)


@asynccontextmanager
async def running(
    db: Database, work: Callable[[], Awaitable[object]], schedule: Schedule = QUICK, **options: Any
) -> AsyncIterator[asyncio.Task[None]]:
    loop = run_periodically(db, work, schedule, failure_event="test_postponed", **options)
    task = asyncio.create_task(loop)
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("lock", [None, LOCK])
async def test_work_runs_at_once_and_then_periodically(committed_db: Database, lock: str | None) -> None:
    passes = Passes()
    async with running(committed_db, passes, lock=lock):
        await passes.reach(3)
    once = Passes()
    async with running(committed_db, once, Schedule(every=NEVER, retry=0.01), lock=lock):
        await once.reach(1)
        await asyncio.sleep(0.05)
    assert once.count == 1


async def test_a_database_that_fails_is_logged_and_tried_again_after_a_pause_of_its_own(
    committed_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    passes = Passes({1: ConnectionError(), 2: TimeoutError()})
    async with running(committed_db, passes, Schedule(every=NEVER, retry=0.01)):
        await passes.reach(3)
        await asyncio.sleep(0.05)
    assert passes.count == 3
    assert caplog.text.count("test_postponed") == 2
    assert "ConnectionError" in caplog.text


async def test_a_loop_ends_also_where_its_rollback_finds_no_database(committed_db: Database) -> None:
    working = asyncio.Event()

    async def work() -> None:
        assert not working.is_set(), "it goes on"
        working.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("the connection is lost") from None

    async with running(committed_db, work) as loop:
        await working.wait()
        loop.cancel()
        await asyncio.wait([loop], timeout=PATIENCE)
        assert loop.cancelled()


async def test_any_other_error_ends_the_loop(committed_db: Database) -> None:
    async with running(committed_db, Passes({2: ValueError("a bug")})) as loop:
        with pytest.raises(ValueError, match="a bug"):
            await asyncio.wait_for(loop, 10)


async def test_one_process_works_at_a_time_and_the_next_follows_when_it_ends(committed_db: Database) -> None:
    passes = Passes()
    async with AsyncExitStack() as other_process:
        session = await other_process.enter_async_context(committed_db.dedicated())
        assert await try_lock(session, LOCK)
        async with running(committed_db, passes, lock=LOCK):
            assert not await run_exclusively(committed_db, LOCK, passes)
            await asyncio.sleep(0.1)
            assert passes.count == 0
            await other_process.aclose()
            await passes.reach(2)


async def test_no_lock_is_tried_while_nothing_is_due(committed_db: Database) -> None:
    checks = Passes()
    due = False

    async def is_due() -> bool:
        await checks()
        return due

    passes = Passes()
    async with running(committed_db, passes, lock=LOCK, is_due=is_due):
        await checks.reach(3)
        assert passes.count == 0
        due = True
        await passes.reach(1)
