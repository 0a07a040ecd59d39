"""The answers that handlers give."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import orjson
from marshmallow import Schema
from sanic.response import HTTPResponse

from api.paging import encode_cursor
from transport.request import Request

JSON = "application/json"
Row = TypeVar("Row")


def ok(data: Any, *, status: int = 200) -> HTTPResponse:
    """JSON. Times must be text already: schemas dump them so."""
    return HTTPResponse(orjson.dumps(data), status, content_type=JSON)


def created(location: str, data: Any) -> HTTPResponse:
    """201. `location` is a path without the /api/v1 prefix, which is put before it if the request had it."""
    return HTTPResponse(orjson.dumps(data), 201, {"location": location}, JSON)


def accepted(location: str, data: Any) -> HTTPResponse:
    """202: it goes on, and `location` tells how far it is."""
    return HTTPResponse(orjson.dumps(data), 202, {"location": location}, JSON)


def no_content() -> HTTPResponse:
    return HTTPResponse(status=204)


def csv(text: str | bytes, *, filename: str) -> HTTPResponse:
    """200 with a table that a browser saves."""
    disposition = {"content-disposition": f'attachment; filename="{filename}"'}
    return HTTPResponse(text, 200, disposition, "text/csv; charset=utf-8")


def page(
    request: Request,
    schema: Schema,
    rows: Sequence[Row],
    *,
    limit: int,
    key: Callable[[Row], Sequence[int | str | datetime | None]],
) -> HTTPResponse:
    """A list: `items`, and `next` where more follow, also as a Link.

    :param rows: up to `limit` + 1 of them; the last one only tells that there are more
    :param key: the sort key of a row, as the list's Cursor field checks it
    """
    items = rows[:limit]
    following = encode_cursor(key(items[-1])) if len(rows) > limit else None
    response = ok({"items": schema.dump(items, many=True), "next": following})
    if following:
        response.headers["link"] = f'<{next_page(request, following)}>; rel="next"'
    return response


def next_page(request: Request, cursor: str, *, name: str = "cursor") -> str:
    """The address of this list's next page, which the parameter `name` tells."""
    parameters = [
        pair
        for pair in parse_qsl(request.query_string, keep_blank_values=True)
        if pair[0] not in (name, "offset")
    ]
    return f"{request.path}?{urlencode([*parameters, (name, cursor)])}"


def numbered_page(
    request: Request, schema: Schema, rows: Sequence[Row], following: int | None
) -> HTTPResponse:
    """A list whose pages are numbered: `next` is the following page's number, if there is one."""
    response = ok({"items": schema.dump(rows, many=True), "next": following})
    if following is not None:
        response.headers["link"] = f'<{next_page(request, str(following), name="page")}>; rel="next"'
    return response


def warned(response: HTTPResponse, *, is_stale: bool) -> HTTPResponse:
    """The response, with a Warning if it tells what was true before and can't be asked for now."""
    if is_stale:
        response.headers["warning"] = '110 - "Response is Stale"'
    return response


def make_etag(content: bytes | str) -> str:
    """A strong ETag for content, or for whatever decides it, such as a data version and the parameters."""
    raw = content.encode() if isinstance(content, str) else content
    return f'"{hashlib.blake2b(raw, digest_size=12).hexdigest()}"'


def etag_matches(header: str, etag: str) -> bool:
    """Whether an If-None-Match header names the ETag, or any (`*`)."""
    named = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in named or "*" in named


def if_match(request: Request, etag: str) -> bool:
    """Whether an If-Match header, if there is one, names this version or any (`*`). A weak tag names none."""
    headers = request.headers.getall("if-match", ())
    named = [tag.strip() for header in headers for tag in header.split(",")]
    return not headers or etag in named or "*" in named


def not_modified(request: Request, etag: str) -> HTTPResponse | None:
    """304 if the client has this version; ask before the work is done, where the ETag is known so early."""
    header = request.headers.get("if-none-match")
    if header is None or request.method not in ("GET", "HEAD") or not etag_matches(header, etag):
        return None
    return HTTPResponse(status=304, headers=cache_headers(etag))


def tagged(request: Request, response: HTTPResponse, etag: str | None = None) -> HTTPResponse:
    """The response with its ETag (of its body, unless another is given), or 304 if the client has it."""
    tag = etag or make_etag(response.body or b"")
    response.headers.update(cache_headers(tag))
    return not_modified(request, tag) or response


def cache_headers(etag: str) -> dict[str, str]:
    return {"etag": etag, "cache-control": "private, no-cache", "vary": "Authorization, Accept"}
