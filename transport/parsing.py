"""Reads what a client sent: query strings, JSON bodies, and bodies of any size as chunks."""

import zlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

import orjson
from marshmallow import Schema
from sanic.exceptions import BadRequest, PayloadTooLarge, RequestTimeout

from service.errors import Invalid
from service.logs.streams import BrokenOff
from transport.errors import BadJson, UnsupportedMediaType
from transport.request import Request

MIB = 2**20
MAX_PARAMETERS = 100
MAX_SIZE_DIGITS = 19  # of a Content-Length: more than a row can hold
UNPACKED_CHUNK = MIB  # bytes that a gzip body may unpack to at a time


def query(request: Request, schema: Schema) -> dict[str, Any]:
    """The query string, as a schema of text fields loads it.

    :raises ValidationError: a parameter is unknown or wrong
    :raises Invalid: a parameter is named twice
    """
    try:
        pairs = parse_qsl(
            request.query_string, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:  # UnicodeDecodeError is one
        raise BadRequest("the query string is not UTF-8, or has too many parameters") from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        twice = sorted({name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1})
        raise Invalid(
            f"{', '.join(twice)}: given twice", errors=[(f"/{name}", "is given twice") for name in twice]
        )
    loaded: dict[str, Any] = schema.load(parameters)
    return loaded


def body(request: Request, schema: Schema) -> Any:
    """The JSON body as a schema loads it.

    :raises ValidationError: a field is unknown or wrong
    """
    return schema.load(json_body(request))


def json_body(request: Request) -> Any:
    """The JSON body as orjson reads it: whole numbers beyond 64 bits have become floats.

    :raises UnsupportedMediaType: it is declared as something else
    :raises BadJson: it is no JSON
    """
    require_media_type(request, "application/json")
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise BadJson(f"the body is not JSON: {error}") from None


def media_type(request: Request) -> str:
    """The Content-Type without its parameters, in lower case; empty if there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_media_type(request: Request, *accepted: str) -> str:
    """The body's media type, which must be one of these.

    :raises UnsupportedMediaType: it is not
    """
    given = media_type(request)
    if given not in accepted:
        raise UnsupportedMediaType(f"the body must be {' or '.join(accepted)}, not {given or 'undeclared'}")
    return given


async def read_body(request: Request, *, limit: int, gzip: bool) -> bytes:
    """The whole body, unpacked if it came packed and may.

    :raises PayloadTooLarge: it is over `limit` bytes, unpacked
    """
    if (declared_size(request) or 0) > limit:
        raise PayloadTooLarge(f"the body is over {limit} bytes")
    parts: list[bytes] = []
    size = 0
    async for chunk in body_chunks(request, gzip=gzip):
        size += len(chunk)
        if size > limit:
            raise PayloadTooLarge(f"the body is over {limit} bytes")
        parts.append(chunk)
    return b"".join(parts)


def declared_size(request: Request) -> int | None:
    """The Content-Length, None where there is none that can be meant."""
    declared = request.headers.get("content-length", "")
    return (
        int(declared)
        if declared.isascii() and declared.isdecimal() and len(declared) < MAX_SIZE_DIGITS
        else None
    )


def is_packed(request: Request) -> bool:
    """Whether the body is said to be packed with gzip.

    :raises UnsupportedMediaType: it is packed in another way
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise UnsupportedMediaType(f"Content-Encoding {encoding} is not taken here")
    return encoding in ("gzip", "x-gzip")


async def upload_pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it arrives, for a use case that reads it itself.

    :raises BrokenOff: the client broke off, or sends nothing any more
    """
    try:
        async for piece in request.raw_chunks():
            yield piece
    except (BadRequest, RequestTimeout) as error:
        raise BrokenOff(f"the upload broke off: {error}") from None


async def body_chunks(request: Request, *, gzip: bool) -> AsyncIterator[bytes]:
    """The body piece by piece, unpacked if it came packed. Memory stays flat, whatever it unpacks to.

    :raises BadRequest: it breaks off, or is not the gzip that it says
    :raises UnsupportedMediaType: it is packed and may not be, or not with gzip
    """
    packed = is_packed(request)
    if packed and not gzip:
        raise UnsupportedMediaType("Content-Encoding gzip is not taken here")
    async for chunk in gunzip(request.raw_chunks()) if packed else request.raw_chunks():
        yield chunk


async def gunzip(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Unpack gzip members, one after the other.

    :raises BadRequest: it is not gzip, or ends within a member
    """
    unpack = zlib.decompressobj(wbits=31)
    begun = False
    async for chunk in chunks:
        rest, full = chunk, False
        while rest or full:
            if unpack.eof:
                unpack = zlib.decompressobj(wbits=31)
            begun = True
            try:
                unpacked = unpack.decompress(rest, UNPACKED_CHUNK)
            except zlib.error:
                raise BadRequest("the body is not gzip") from None
            rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
            full = len(unpacked) == UNPACKED_CHUNK and not unpack.eof  # there may be more of the same input
            if unpacked:
                yield unpacked
    if begun and not unpack.eof:
        raise BadRequest("the gzip body breaks off")
