"""Streams server-sent events until there are no more of them or the client goes away."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from sanic.response import HTTPResponse

from transport.request import Request

MEDIA_TYPE = "text/event-stream"
STALL = 30.0  # seconds for which a client may take nothing before it counts as gone
RETRY = b"retry: 3000\n\n"  # milliseconds after which an EventSource asks again


async def stream_events(request: Request, events: AsyncGenerator[bytes]) -> HTTPResponse | None:
    """Send each event's JSON as it comes. An error before the first is answered as any other.

    :param events: closed in every case
    """
    # Proxies buffer answers, which would hold events back.
    head = HTTPResponse(headers={"x-accel-buffering": "no"}, content_type=MEDIA_TYPE)
    if request.method == "HEAD":
        await events.aclose()
        return head
    sending = asyncio.create_task(_send_all(request, head, events))
    leaving = asyncio.create_task(request.client_gone())
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        leaving.cancel()
        ended, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
    if isinstance(ended, Exception) and not isinstance(ended, TimeoutError):
        raise ended
    return None


async def _send_all(request: Request, head: HTTPResponse, events: AsyncGenerator[bytes]) -> None:
    async with aclosing(events):
        first = await anext(events, None)
        response = await request.respond(head)
        await response.send(RETRY + (message(first) if first else b""))
        async for event in events:
            async with asyncio.timeout(STALL):
                await response.send(message(event))
    await response.eof()


def message(event: bytes) -> bytes:
    return b"data: " + event + b"\n\n"
