"""Work that outlives the request that began it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from db.outages import is_outage
from service.errors import TrawlError

log = structlog.get_logger("trawl.background")
T = TypeVar("T")


class Background:
    """Holds tasks until they end, logs what they fail with, and ends them with the server."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Cancel what still runs, and wait until it has cleaned up."""
        while self._tasks:  # what is cancelled may spawn something to clean up
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
