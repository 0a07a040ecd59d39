"""Counts what a bound refuses, and logs it once a minute."""

import time
from dataclasses import dataclass, field

import structlog

from telemetry.metrics import current

log = structlog.get_logger("trawl.bounds")

LOG_SECONDS = 60.0


@dataclass(slots=True)
class _Log:
    """When each bound was logged last, and how many refusals came since."""

    times: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


_log = _Log()


def record_refusal(bound: str, number: int = 1) -> None:
    """Count refusals. The log has the first of each bound, and the others' number a minute later."""
    if not number:
        return
    current().refusals.labels(bound).inc(number)
    _log.counts[bound] = _log.counts.get(bound, 0) + number
    now = time.monotonic()
    if now - _log.times.get(bound, -LOG_SECONDS) >= LOG_SECONDS:
        log.warning("bound_reached", bound=bound, refusals=_log.counts.pop(bound))
        _log.times[bound] = now
