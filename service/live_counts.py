"""What one worker has counted and not shared yet, and the listeners that wait for the next state."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class LiveTiming:
    """Seconds between two states, and for how long an import is shown after its end."""

    interval: float = 1.0
    import_lingers: timedelta = timedelta(seconds=10)


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
    """A worker's counts, in its memory.

    :param pending: counted and not shared yet
    :param totals: the last known totals of all workers
    :param is_publishing: the task that shares counts and publishes states runs
    :param latest: the last state; None while no task publishes any
    """

    timing: LiveTiming = LiveTiming()
    pending: Totals = Totals()
    totals: Totals = Totals()
    listeners: int = 0
    is_publishing: bool = False
    latest: Any = None
    _next: asyncio.Future[Any] | None = field(default=None)

    def next_state(self) -> asyncio.Future[Any]:
        """Return a future of the next state, the same one for all listeners."""
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    def publish(self, state: Any) -> None:
        """Give a state to the listeners."""
        self.latest = state
        if self._next is not None and not self._next.done():
            self._next.set_result(state)

    def fail(self, error: BaseException) -> None:
        """End the listeners' wait with an error: there will be no next state."""
        if self._next is None or self._next.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self._next.cancel()
        else:
            self._next.set_exception(error)
