"""The clock. Use cases take the time, or a `Clock`, as an argument, so that tests choose it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the current time in UTC: the clock of production."""
    return datetime.now(UTC)
