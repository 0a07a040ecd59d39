"""Calls to other services: how they fail, and how they are logged and counted."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

OnCall = Callable[[str, float], None]  # takes `ok` or the kind of a failure, and the seconds of a call


class UpstreamError(Exception):
    """The service gave no answer that can be used."""


class UpstreamRefused(UpstreamError):
    """The service refuses this request, which says nothing of the next one."""


class UpstreamFailed(UpstreamError):
    """The service is away, too busy, or answers nonsense: the next call will most likely fail too."""


class UpstreamSlow(UpstreamFailed):
    """The service has not answered in time."""


@contextmanager
def observe_call(log: structlog.stdlib.BoundLogger, kind: str, on_call: OnCall) -> Iterator[None]:
    """Time the call made in this context, log how it went, and pass that to `on_call`."""
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
