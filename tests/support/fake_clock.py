"""A clock that a test moves by hand."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Seconds since 1970 by default, or of any other clock."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now
