"""Writes single items in batches: items that arrive while a batch is being written share the next one.

There is no timer. An item that comes alone is written at once; under load one commit serves many items, and
the items of one process do not queue for the rows that they all update.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

MAX_BATCH = 500

Item = TypeVar("Item")
Result = TypeVar("Result")
WriteBatch = Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]


@dataclass(slots=True, eq=False)
class Waiter(Generic[Item, Result]):
    """A caller whose item is not written yet. Its `outcome` is None when it has to write the next batch."""

    item: Item
    outcome: asyncio.Future[Result | None] = field(default_factory=asyncio.Future)


class Batcher(Generic[Item, Result]):
    """Callers with an item each, one of which writes a batch while the others wait.

    The first waiter writes for all of a batch, then the next waiter leads.
    """

    def __init__(self) -> None:
        self._waiters: list[Waiter[Item, Result]] = []
        self._busy = False

    async def write(self, item: Item, write_batch: WriteBatch[Item, Result]) -> Result:
        """Write the item, in a batch of this caller or of another, and return its result.

        `write_batch` returns a result, not None, for each item, in order. What it raises reaches all callers
        whose items it took.
        """
        own = Waiter[Item, Result](item)
        self._waiters.append(own)
        if self._busy:
            result = await self._wait(own)
            if result is not None:
                return result
        self._busy = True
        batch, self._waiters = self._waiters[:MAX_BATCH], self._waiters[MAX_BATCH:]
        try:
            results = await write_batch([waiter.item for waiter in batch])
        except BaseException as error:
            for waiter in batch[1:]:
                if not waiter.outcome.done():
                    waiter.outcome.set_exception(error)
            raise
        finally:
            self._call_next_leader()
        for waiter, result in zip(batch[1:], results[1:], strict=True):
            if not waiter.outcome.done():
                waiter.outcome.set_result(result)
        return results[0]

    async def _wait(self, own: Waiter[Item, Result]) -> Result | None:
        """Wait for the result from another caller's batch; None if this caller must write the next one."""
        try:
            return await own.outcome
        except asyncio.CancelledError:
            if own in self._waiters:
                self._waiters.remove(own)
                if not own.outcome.cancelled():  # it had been called to lead
                    self._call_next_leader()
            raise

    def _call_next_leader(self) -> None:
        self._waiters = [waiter for waiter in self._waiters if not waiter.outcome.done()]
        self._busy = bool(self._waiters)
        if self._busy:
            self._waiters[0].outcome.set_result(None)
