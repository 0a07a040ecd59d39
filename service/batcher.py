"""Writes the single visits of a worker together: those that come while others are written share a statement.

Nobody waits for a timer. With one visit at a time each is written at once; with many, one commit serves them
all, and the worker's visits do not queue for the roll-up rows that they share.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from service.visits.store import LiveVisit, Outcome

MAX_TOGETHER = 500

Write = Callable[[Sequence[LiveVisit]], Awaitable[list[Outcome]]]


@dataclass(slots=True)
class Waiting:
    """A visit that waits to be written: `outcome` is None when it is this one's turn to write."""

    visit: LiveVisit
    outcome: asyncio.Future[Outcome | None] = field(default_factory=asyncio.Future)


class VisitWriter:
    """One of those who wait writes for all; when it is done, the first of the others takes over."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._busy = False

    async def write(self, visit: LiveVisit, write: Write) -> Outcome:
        """Have the visit written, by this caller or by another. `write` takes several and keeps their order.

        What `write` raises reaches everybody whose visit it took.
        """
        mine = Waiting(visit)
        self._waiting.append(mine)
        if self._busy:
            outcome = await self._wait(mine)
            if outcome is not None:
                return outcome
        self._busy = True
        batch, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
        try:
            outcomes = await write([waiting.visit for waiting in batch])
        except BaseException as error:
            for other in batch[1:]:
                if not other.outcome.done():
                    other.outcome.set_exception(error)
            raise
        finally:
            self._hand_over()
        for other, outcome in zip(batch[1:], outcomes[1:], strict=True):
            if not other.outcome.done():
                other.outcome.set_result(outcome)
        return outcomes[0]

    async def _wait(self, mine: Waiting) -> Outcome | None:
        """The outcome, or None when it is this one's turn to write, as the first of those who wait."""
        try:
            return await mine.outcome
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
                if not mine.outcome.cancelled():  # its turn came, and it is gone
                    self._hand_over()
            raise

    def _hand_over(self) -> None:
        self._waiting = [waiting for waiting in self._waiting if not waiting.outcome.done()]
        self._busy = bool(self._waiting)
        if self._busy:
            self._waiting[0].outcome.set_result(None)
