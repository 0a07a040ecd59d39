"""Streams responses chunk by chunk, in flat memory: exports as NDJSON or CSV, and server-sent events.

A client that goes away, or takes nothing for too long, ends the work behind its response.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import orjson
import structlog
from sanic.response import HTTPResponse

from transport.csv_text import csv_lines
from transport.heavy import CLIENT_CLOSED_REQUEST
from transport.request import Request
from transport.sanic_internals import abort_response

log = structlog.get_logger("trawl.streaming")

EXPORT_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
EVENT_STREAM = "text/event-stream"
RECONNECT = b"retry: 3000\n\n"  # milliseconds until an EventSource connects again

Rows = Sequence[Sequence[Any]]


async def stream(
    request: Request, head: HTTPResponse, chunks: AsyncGenerator[bytes], *, stall: float, failure: str
) -> HTTPResponse | None:
    """Send `head`, then each chunk as it comes. Return once all are sent or the client has left.

    An error before the first chunk is answered as any other. A later one aborts the response, so that no
    client takes a part for the whole, and is logged.

    :param chunks: closed in every case, and what it holds open with it
    :param stall: seconds for which a client may take nothing before it counts as gone
    :param failure: the log event of a response that was aborted
    :return: the head alone for a HEAD request; None when it was sent, as Sanic has nothing left to send
    """
    if request.method == "HEAD":
        await chunks.aclose()
        return head
    sending = asyncio.create_task(_send_chunks(request, head, chunks, stall))
    leaving = asyncio.create_task(request.wait_for_disconnect())
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        leaving.cancel()
        result, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
        # The traceback of an error refers to this frame: it must not keep the tasks and what they hold.
        del sending, leaving
    if isinstance(result, Exception):
        if not request.responded:
            raise result
        log.error(failure, exc_info=result)
        abort_response(request)
    return None if request.responded else HTTPResponse(status=CLIENT_CLOSED_REQUEST)


async def _send_chunks(
    request: Request, head: HTTPResponse, chunks: AsyncGenerator[bytes], stall: float
) -> None:
    async with aclosing(chunks):
        chunk = await anext(chunks, None)
        response = await request.respond(head)
        while chunk is not None:
            async with asyncio.timeout(stall):
                await response.send(chunk)
            chunk = await anext(chunks, None)
    await response.eof()


async def stream_export(
    request: Request,
    batches: AsyncGenerator[Rows],
    *,
    names: Sequence[str],
    form: str,
    filename: str,
    raw: bool = False,
) -> HTTPResponse | None:
    """Stream a table as a file that a browser saves.

    :param batches: rows in the order of `names`; values are JSON's, aware times and UUIDs
    :param form: `ndjson`, an object a line, or `csv`, with `names` as its header
    :param filename: without its extension
    :param raw: leave cells of CSV that begin like a formula as they are
    """
    chunks = csv_chunks(names, batches, raw=raw) if form == "csv" else ndjson_chunks(names, batches)
    return await stream_file(request, chunks, form=form, filename=filename)


async def stream_file(
    request: Request, chunks: AsyncGenerator[bytes], *, form: str, filename: str
) -> HTTPResponse | None:
    """Stream the chunks of a file that a browser saves."""
    headers = {"content-disposition": f'attachment; filename="{filename}.{form}"'}
    head = HTTPResponse(headers=headers, content_type=EXPORT_TYPES[form])
    stall = request.timeouts.export
    return await stream(request, head, chunks, stall=stall, failure="export_broken_off")


async def stream_events(request: Request, events: AsyncGenerator[bytes]) -> HTTPResponse | None:
    """Stream server-sent events, the data of each as JSON on one line."""
    # Proxies buffer responses, which would delay the events.
    head = HTTPResponse(headers={"x-accel-buffering": "no"}, content_type=EVENT_STREAM)
    stall = request.timeouts.event
    return await stream(request, head, event_chunks(events), stall=stall, failure="event_stream_broken_off")


async def event_chunks(events: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Write each event as a message; the first chunk also says after how long a client reconnects."""
    async with aclosing(events):
        first = await anext(events, None)
        yield RECONNECT + (event_message(first) if first else b"")
        async for event in events:
            yield event_message(event)


def event_message(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


async def ndjson_chunks(names: Sequence[str], batches: AsyncGenerator[Rows]) -> AsyncGenerator[bytes]:
    async with aclosing(batches):
        first = await anext(batches, None)  # Python 3.11 fails with () as the default
        yield ndjson_lines(names, first or ())
        async for rows in batches:
            yield ndjson_lines(names, rows)


async def csv_chunks(
    names: Sequence[str], batches: AsyncGenerator[Rows], *, raw: bool
) -> AsyncGenerator[bytes]:
    async with aclosing(batches):
        first = await anext(batches, None)
        yield csv_lines([names, *(first or ())], raw=raw).encode()
        async for rows in batches:
            yield csv_lines(rows, raw=raw).encode()


def ndjson_lines(names: Sequence[str], rows: Rows) -> bytes:
    """Write each row as a JSON object. The driver has a UUID class of its own, which `str` writes."""
    options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    lines = [orjson.dumps(dict(zip(names, row, strict=True)), default=str, option=options) for row in rows]
    return b"".join(lines)
