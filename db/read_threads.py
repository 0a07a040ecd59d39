"""Threads in which columns are read. What a client no longer waits for ends with its next part."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from db.threads import lower_priority

T = TypeVar("T")

# Threads of their own: no list waits for the columns of an import, or a password. The event loops go before
# them: as many heavy reads as there are cores made the p99 of all other requests five times as long.
THREADS = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "reads", initializer=lower_priority)


class Abandoned(Exception):
    """nobody waits for the result any more"""


class Waiting:
    """Tells a thread whether somebody waits for it."""

    def __init__(self) -> None:
        self._over = Event()

    def end(self) -> None:
        self._over.set()

    def check(self) -> None:
        """Raise if nobody waits any longer.

        :raises Abandoned: nobody does
        """
        if self._over.is_set():
            raise Abandoned


async def run_while_awaited(work: Callable[[Waiting], T]) -> T:
    """Run work in a thread; it ends at its next `check` when the caller is cancelled."""
    waiting = Waiting()
    try:
        return await asyncio.get_running_loop().run_in_executor(THREADS, work, waiting)
    finally:
        waiting.end()
