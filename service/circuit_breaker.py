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
        """Whether the dependency counts as well."""
        return self._failures < self._threshold

    def seconds_open(self) -> float:
        """Return the seconds until the breaker is half-open; 0 if it is not open."""
        return max(0.0, self._open_until - self._clock())

    def seconds_refused(self, call: str) -> float:
        """Return 0 if the call may go through, else the seconds until the next one may.

        A half-open breaker takes the first call that asks as its probe, until that call is released.
        """
        if seconds := self.seconds_open():
            return seconds
        if self.is_closed:
            return 0.0
        if self._probe is not None:
            return self._pause
        self._probe = call
        return 0.0

    def release(self, call: str) -> None:
        """Let another call be the probe if this one was."""
        if self._probe == call:
            self._probe = None

    def record_success(self) -> None:
        """Forget all failures. A pause that has begun still ends in its time."""
        self._failures = 0

    def record_failure(self) -> None:
        """Count a failure in a row, and open the breaker if there are enough."""
        self._failures += 1
        if not self.is_closed:
            self._open_until = self._clock() + self._pause
