"""Sentry: receives unexpected errors if SENTRY_DSN is set. Of a request it gets the id alone."""

import asyncio
from collections.abc import Mapping
from typing import Any

import sentry_sdk

FLUSH_WAIT = 2.0  # seconds


def start_sentry(dsn: str, *, release: str) -> None:
    """Start the client in this process. Only after a fork, because it sends from a thread.

    Integrations are off, so that only `send_error` sends anything. Local variables are off, because frames
    hold passwords and tokens.
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
    """Send an error, with the values of `about` that are not None as tags: event, request_id, user_id."""
    with sentry_sdk.new_scope() as scope:
        for name, value in about.items():
            if value is not None:
                scope.set_tag(name, str(value))
        scope.capture_exception(error)


async def stop_sentry() -> None:
    """Send what is queued, for 2 s at most."""
    await asyncio.to_thread(sentry_sdk.flush, FLUSH_WAIT)
