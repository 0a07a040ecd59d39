"""A result that all who want it at about the same time share, so that a crowd costs as much as one."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SharedResult(Generic[T]):
    """The newest result of some work, which runs once at a time, and again when the result is not fresh."""

    def __init__(self, fresh_for: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a result.

        :param fresh_for: seconds since the work began, in which its result serves
        """
        self.fresh_for = fresh_for
        self._clock = clock
        self._began = 0.0
        self._work: asyncio.Task[T] | None = None

    async def get(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of work under way, else of `make`. Who is cancelled leaves it to the others."""
        if self._work is None or (self._work.done() and not self._is_fresh(self._work)):
            self._began = self._clock()
            self._work = asyncio.create_task(make())
        return await asyncio.shield(self._work)

    def expire(self) -> None:
        """Make the next `get` work anew: the thing that the result is of has changed."""
        self._work = None

    def _is_fresh(self, work: asyncio.Task[T]) -> bool:
        if work.cancelled() or work.exception() is not None:
            return False
        return self._clock() - self._began < self.fresh_for
