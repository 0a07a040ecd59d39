"""A circuit breaker: callers of a dependency that keeps failing fail at once, instead of waiting for it."""

import time
from collections.abc import Callable


class CircuitBreaker:
    """The breaker of one dependency. It starts closed, which lets all calls through.

    After `threshold` failures in a row it opens for `pause` seconds. Then it is half-open: one call, the
    probe, may go through. A success closes the breaker, a failure opens it again.
    """

    def __init__(self, *, threshold: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold = threshold
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0
        self._probe: str | None = None

    @property
    def is_closed(self) -> bool:
        """Return whether the dependency counts as healthy."""
        return self._failures < self._threshold

    def seconds_open(self) -> float:
        """Return the seconds until the breaker is half-open; 0 if it is not open."""
        return max(0.0, self._open_until - self._clock())

    def admit(self, call: str) -> bool:
        """Return whether a call may go through now.

        A half-open breaker makes the first call its probe, and admits no other until that one is released.
        """
        if self.seconds_open():
            return False
        if self.is_closed:
            return True
        if self._probe is not None:
            return False
        self._probe = call
        return True

    def release(self, call: str) -> None:
        """Let another call be the probe if this one was."""
        if self._probe == call:
            self._probe = None

    def record_success(self) -> None:
        """Clear all failures. A pause that has begun still ends in its time."""
        self._failures = 0

    def record_failure(self) -> None:
        """Count a failure in a row, and open the breaker if there are enough."""
        self._failures += 1
        if not self.is_closed:
            self._open_until = self._clock() + self._pause
