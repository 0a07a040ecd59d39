"""What one worker has counted and not shared yet, and those who wait for the next picture of all."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Totals:
    visits: int = 0
    events: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.visits + other.visits, self.events + other.events)

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(self.visits - other.visits, self.events - other.events)


@dataclass(slots=True)
class LiveCounts:
    """A worker's own, in memory. `telling`: the task that shares them runs."""

    pending: Totals = Totals()
    totals: Totals = Totals()
    listeners: int = 0
    telling: bool = False
    latest: Any = None
    _next: asyncio.Future[Any] | None = field(default=None)

    def next_state(self) -> asyncio.Future[Any]:
        """The picture that comes next, the same for all who wait."""
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    def publish(self, state: Any) -> None:
        self.latest = state
        if self._next is not None and not self._next.done():
            self._next.set_result(state)

    def fail(self, error: BaseException) -> None:
        """Nothing more will come: those who wait are told why."""
        if self._next is None or self._next.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self._next.cancel()
        else:
            self._next.set_exception(error)
