"""Bounds the heavy work of requests: it needs a permit, has a deadline, and ends when the client leaves."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any

from sanic.response import HTTPResponse

from service.errors import Unavailable
from telemetry.refusals import record_refusal
from transport.replicas import or_from_primary
from transport.request import Request

CLIENT_CLOSED_REQUEST = 499  # nginx's status in logs; nobody is there to read it
WATCH_AFTER = 0.02  # seconds until a read has a task that waits for its client to leave: most end before

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]


def heavy_read(handler: Handler) -> Handler:
    """Run a list or a statistic with a permit of its account, for `read_seconds` at most, its wait included.

    The query behind it is cancelled when the time is up, or the client leaves.
    """

    @wraps(handler)
    async def run(request: Request, *args: Any, **kwargs: Any) -> HTTPResponse | None:
        permits = request.deps.permits

        async def read() -> HTTPResponse | None:
            async with permits.cores.core(request.permit_owner):
                return await or_from_primary(request, lambda: handler(request, *args, **kwargs))

        deadline = asyncio.get_running_loop().time() + permits.bounds.read_seconds
        async with permits.reads.acquire(request.permit_owner):
            return await finish(request, read, deadline)

    return mark(run, "reads")


def heavy_export(handler: Handler) -> Handler:
    """Run an export with a permit of its account. It may take as long as its client keeps reading."""

    @wraps(handler)
    async def run(request: Request, *args: Any, **kwargs: Any) -> HTTPResponse | None:
        async with request.deps.permits.exports.acquire(request.user_id):
            return await or_from_primary(request, lambda: handler(request, *args, **kwargs))

    return mark(run, "exports")


def mark(handler: Handler, kind: str) -> Handler:
    """Record the kind of work on the handler, for the OpenAPI document."""
    handler.heavy = kind  # type: ignore[attr-defined]  # functions take attributes, their type does not say so
    return handler


def heavy_kind(handler: Callable[..., Any]) -> str | None:
    """Return the kind of permit that a handler needs: "reads" or "exports"; None if it needs none."""
    kind: str | None = getattr(handler, "heavy", None)
    return kind


async def finish(
    request: Request, read: Callable[[], Awaitable[HTTPResponse | None]], deadline: float
) -> HTTPResponse | None:
    """Await a read; cancel it when the client leaves.

    :param deadline: in seconds of the event loop's clock

    :raises Unavailable: `too_expensive`, when the time is up
    """
    loop = asyncio.get_running_loop()
    has_left, watching = False, list[asyncio.Task[None]]()
    timeout = asyncio.timeout_at(deadline)

    async def watch() -> None:
        nonlocal has_left
        await request.wait_for_disconnect()
        has_left = True
        if not timeout.expired():
            timeout.reschedule(loop.time())

    timer = loop.call_later(WATCH_AFTER, lambda: watching.append(loop.create_task(watch())))
    try:
        async with timeout:
            return await read()
    except TimeoutError:
        if not timeout.expired():  # the database's, not ours
            raise
    finally:
        timer.cancel()
        for task in watching:
            task.cancel()
            await asyncio.wait([task])
    if has_left:
        return HTTPResponse(status=CLIENT_CLOSED_REQUEST)
    record_refusal("read_seconds")
    seconds = request.deps.permits.bounds.read_seconds
    raise Unavailable(f"this takes longer than {seconds:g} s: ask for less", code="too_expensive")
