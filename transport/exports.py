"""Streams rows out as NDJSON or CSV: flat memory; a client that goes away ends the query behind it."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import orjson
import structlog
from sanic.response import HTTPResponse

from api.fields import rfc3339
from transport.request import Request

log = structlog.get_logger("trawl.exports")

MEDIA_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
STALL = 60.0  # seconds for which a client may take nothing before it counts as gone

Rows = Sequence[Sequence[Any]]


async def export(
    request: Request, batches: AsyncGenerator[Rows], *, names: Sequence[str], form: str, filename: str
) -> HTTPResponse | None:
    """Stream all batches; returns once they are sent (None: Sanic is told nothing more).

    An error before the first batch is answered as any other; a later one breaks the answer off, so that no
    client takes a part for the whole.

    :param batches: rows in the order of `names`; values are JSON's, aware times and UUIDs. The generator is
        closed in every case, and what it holds open with it
    :param form: `ndjson`, an object a line, or `csv`, with `names` as its header
    :param filename: what a browser saves it as, without its ending
    """
    headers = {"content-disposition": f'attachment; filename="{filename}.{form}"'}
    head = HTTPResponse(headers=headers, content_type=MEDIA_TYPES[form])
    if request.method == "HEAD":
        await batches.aclose()
        return head
    sending = asyncio.create_task(_send_all(request, head, batches, names, form))
    leaving = asyncio.create_task(request.client_gone())
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        leaving.cancel()
        ended, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
        # An error's traceback leads here: it must not keep these, and what they hold.
        del sending, leaving
    if isinstance(ended, Exception):
        if not request.responded:
            raise ended
        log.error("export_broken_off", exc_info=ended)
        _break_off(request)
    return None


def _break_off(request: Request) -> None:
    """Make the server close the connection, without the mark of a whole answer.

    It does so when nothing holds its end of the connection any more; Sanic's objects, which hold each other,
    would until they are collected as garbage.
    """
    vars(request.stream)["send"] = None  # so Sanic marks an answer that is over, and does not end it itself
    vars(request.transport).update(_send=None, _receive=None)


async def _send_all(
    request: Request, head: HTTPResponse, batches: AsyncGenerator[Rows], names: Sequence[str], form: str
) -> None:
    encode = to_csv if form == "csv" else to_ndjson
    async with aclosing(batches):
        first = await anext(batches, None) or ()
        chunk = (header(names) if form == "csv" else b"") + encode(names, first)
        response = await request.respond(head)
        await _send(response, chunk)
        async for rows in batches:
            await _send(response, encode(names, rows))
    await response.eof()


async def _send(response: HTTPResponse, chunk: bytes) -> None:
    """Hand on one chunk; waits for the client to take the ones before it."""
    async with asyncio.timeout(STALL):
        await response.send(chunk)


def to_ndjson(names: Sequence[str], rows: Rows) -> bytes:
    options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    # The driver's UUIDs are of a class of its own.
    lines = [orjson.dumps(dict(zip(names, row, strict=True)), default=str, option=options) for row in rows]
    return b"".join(lines)


def header(names: Sequence[str]) -> bytes:
    return f"{','.join(names)}\r\n".encode()


def to_csv(names: Sequence[str], rows: Rows) -> bytes:
    """Lines without the header. Null is empty; lists and objects stand as JSON."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerows([cell(value) for _, value in zip(names, row, strict=True)] for row in rows)
    return file.getvalue().encode()


def cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return orjson.dumps(value).decode() if isinstance(value, dict | list | bool) else value
