"""Work beside the requests: tasks that outlive the request that began them, and loops that run forever."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from logging import ERROR, WARNING
from typing import Any, TypeVar

import structlog

from db.database import DATABASE_ERRORS, Database
from db.locks import try_lock
from db.outages import describe, is_lasting, is_outage, raise_if_cancelled
from service.errors import TrawlError

log = structlog.get_logger("trawl.background")
T = TypeVar("T")


class Background:
    """Keeps references to tasks until they end, logs their failures, and cancels them with the server."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Start a task; `name` stands in the log if it fails."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Cancel the tasks that still run, and wait until they have cleaned up."""
        while self._tasks:  # a cancelled task may spawn another to clean up
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None or isinstance(error, TrawlError):
            return
        if is_outage(error):
            log.warning("background_cut_off", task=task.get_name(), cause=type(error).__name__)
        else:
            log.error("background_failed", task=task.get_name(), exc_info=error)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The pauses of a periodic loop, in seconds: after its work, and after the database failed.

    :param retry_lasting: after an error of the database that comes again until somebody mends its cause
    """

    every: float
    retry: float
    retry_lasting: float = 60.0


async def run_periodically(
    db: Database,
    work: Callable[[], Awaitable[object]],
    schedule: Schedule,
    *,
    failure_event: str,
    lock: str | None = None,
    is_due: Callable[[], Awaitable[bool]] | None = None,
) -> None:
    """Run `work` now and then again after each pause, until cancelled.

    Errors of the database are logged as `failure_event` and retried; any other error ends the loop.

    :param lock: the advisory lock to work under: of all processes that want it, one works at a time
    :param is_due: says whether there is work, before a connection is opened for the lock
    """
    while True:
        try:
            if is_due is None or await is_due():
                await (work() if lock is None else run_exclusively(db, lock, work))
        except DATABASE_ERRORS as error:
            raise_if_cancelled()
            lasting = is_lasting(error)
            log.log(ERROR if lasting else WARNING, failure_event, cause=describe(error))
            await asyncio.sleep(schedule.retry_lasting if lasting else schedule.retry)
        else:
            await asyncio.sleep(schedule.every)


async def run_exclusively(db: Database, lock: str, work: Callable[[], Awaitable[object]]) -> bool:
    """Run `work` under an advisory lock; return False, without running it, if another process holds that."""
    async with db.dedicated() as session:
        if not await try_lock(session, lock):
            return False
        await work()
    return True
