"""The gate of one process, for while Valkey is away: the same rules, on the monotonic clock."""

import time
from collections.abc import Callable
from typing import Literal

BREAK_AFTER = 5  # failures in a row
PAUSE = 2.0  # seconds
Verdict = tuple[Literal["go", "wait", "closed"], float]


class LocalGate:
    """Lets `places` calls out in any window; after `BREAK_AFTER` failures in a row none, for `pause`."""

    def __init__(
        self,
        places: int,
        window: float,
        *,
        pause: float = PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = places
        self._window = window
        self._pause = pause
        self._clock = clock
        self._calls: dict[str, float] = {}  # when the place of each is free; infinite while it is under way
        self._failures = 0
        self._paused_until = 0.0
        self._test: str | None = None

    def enter(self, call: str) -> Verdict:
        """A verdict, and the seconds until it may be another."""
        now = self._clock()
        if now < self._paused_until:
            return "closed", self._paused_until - now
        self._calls = {name: free for name, free in self._calls.items() if free > now}
        if len(self._calls) >= self._places:
            return "wait", min(self._calls.values()) - now
        if self._failures >= BREAK_AFTER:
            if self._test is not None:
                return "closed", self._pause
            self._test = call
        self._calls[call] = float("inf")
        return "go", 0.0

    def leave(self, call: str, outcome: str) -> None:
        """The call has ended. Calls that Valkey let out are counted too: it may go away next."""
        now = self._clock()
        self._calls[call] = now + self._window
        self._calls = {name: free for name, free in self._calls.items() if free > now}
        if self._test == call:
            self._test = None
        if outcome == "answered":
            self._failures = 0
        elif outcome == "failed":
            self._failures += 1
            if self._failures >= BREAK_AFTER:
                self._paused_until = now + self._pause

    def fill(self) -> None:
        """Let nobody out for a window."""
        free = self._clock() + self._window
        self._calls |= {f"unknown {place}": free for place in range(self._places)}
