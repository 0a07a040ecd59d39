"""Sentry: where unexpected errors are told, if SENTRY_DSN says so. Of a request, its id alone."""

import asyncio
from collections.abc import Mapping
from typing import Any

import sentry_sdk

FLUSH_WAIT = 2.0  # seconds


def start_sentry(dsn: str, *, release: str) -> None:
    """Begin in this process: a thread of its own sends. Only after a fork.

    Without integrations nothing is sent but what `send_error` is given; without local variables no password
    or token of a frame.
    """
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        default_integrations=False,
        auto_enabling_integrations=False,
        send_default_pii=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        traces_sample_rate=0.0,
        auto_session_tracking=False,
    )


def send_error(error: BaseException, about: Mapping[str, Any]) -> None:
    """`about`: the log event, the request's id and the user's number, as far as known."""
    with sentry_sdk.new_scope() as scope:
        for name, value in about.items():
            if value is not None:
                scope.set_tag(name, str(value))
        scope.capture_exception(error)


async def stop_sentry() -> None:
    """Send what is left."""
    await asyncio.to_thread(sentry_sdk.flush, FLUSH_WAIT)
