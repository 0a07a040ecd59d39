"""Calls to services of others: how they fail, and how each of them is told."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

OnCall = Callable[[str, float], None]


class UpstreamError(Exception):
    """The service gave no answer that can be used."""


class UpstreamRefused(UpstreamError):
    """It does not take this request, which says nothing of the next one."""


class UpstreamFailed(UpstreamError):
    """It is away, too busy, or answers nonsense: whoever asks next will most likely fare the same."""


class UpstreamSlow(UpstreamFailed):
    """It has not answered within the time that it was given."""


@contextmanager
def observed(log: structlog.stdlib.BoundLogger, kind: str, on_call: OnCall) -> Iterator[None]:
    """A call, of which a log line tells, and `on_call`: `ok` or the kind of its failure, and the seconds."""
    started = time.perf_counter()
    outcome = failure = "cancelled"
    try:
        yield
        outcome = failure = "ok"
    except UpstreamError as error:
        outcome, failure = str(error), type(error).__name__
        raise
    finally:
        seconds = time.perf_counter() - started
        on_call(failure, seconds)
        log.info("upstream_call", kind=kind, status=outcome, duration_ms=round(seconds * 1000, 2))
