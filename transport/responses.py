"""Makes the responses of handlers."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import orjson
from marshmallow import Schema
from sanic.response import HTTPResponse

from api.paging import encode_cursor
from transport.base_path import link_to
from transport.request import Request

JSON = "application/json"
Row = TypeVar("Row")


def ok(data: Any, *, status: int = 200) -> HTTPResponse:
    """Make a response of JSON. Times must be text already, as schemas dump them."""
    return HTTPResponse(orjson.dumps(data), status, content_type=JSON)


def created(location: str, data: Any) -> HTTPResponse:
    """Make a 201. `location` is a path without /api/v1, which middleware adds if the request had it."""
    return HTTPResponse(orjson.dumps(data), 201, {"location": location}, JSON)


def accepted(location: str, data: Any) -> HTTPResponse:
    """Make a 202: the work goes on, and `location` shows its progress."""
    return HTTPResponse(orjson.dumps(data), 202, {"location": location}, JSON)


def no_content() -> HTTPResponse:
    return HTTPResponse(status=204)


def csv(text: str | bytes, *, filename: str) -> HTTPResponse:
    """Make a 200 with a table that a browser saves under `filename`."""
    headers = {"content-disposition": f'attachment; filename="{filename}"'}
    return HTTPResponse(text, 200, headers, "text/csv; charset=utf-8")


def page(
    request: Request,
    schema: Schema,
    rows: Sequence[Row],
    *,
    limit: int,
    key: Callable[[Row], Sequence[int | str | datetime | None]],
) -> HTTPResponse:
    """Make a page of a list: `items`, and the cursor `next` if more rows follow, also as a Link.

    :param rows: up to `limit` + 1 of them; the last one only shows that more follow
    :param key: the sort key of a row, as the list's Cursor field loads it
    """
    items = rows[:limit]
    cursor = encode_cursor(key(items[-1])) if len(rows) > limit else None
    response = ok({"items": schema.dump(items, many=True), "next": cursor})
    if cursor:
        response.headers["link"] = f'<{next_page_url(request, "cursor", cursor)}>; rel="next"'
    return response


def numbered_page(
    request: Request, schema: Schema, rows: Sequence[Row], next_page: int | None
) -> HTTPResponse:
    """Make a page of a list whose pages are numbered: `next` is the number of the next one, or null."""
    response = ok({"items": schema.dump(rows, many=True), "next": next_page})
    if next_page is not None:
        response.headers["link"] = f'<{next_page_url(request, "page", str(next_page))}>; rel="next"'
    return response


def complete_list(schema: Schema, rows: Sequence[Row]) -> HTTPResponse:
    """Make a list that has one page."""
    return ok({"items": schema.dump(rows, many=True), "next": None})


def next_page_url(request: Request, name: str, value: str) -> str:
    """Return the URL of the same list with the parameter that selects its next page."""
    parameters = [
        pair
        for pair in parse_qsl(request.query_string, keep_blank_values=True)
        if pair[0] not in (name, "offset")
    ]
    return link_to(request, f"{request.path}?{urlencode([*parameters, (name, value)])}")


def with_stale_warning(response: HTTPResponse, *, is_stale: bool) -> HTTPResponse:
    """Add a Warning if the response shows an older state, because the current one can't be had now."""
    if is_stale:
        response.headers["warning"] = '110 - "Response is Stale"'
    return response


def make_etag(content: bytes | str) -> str:
    """Make a strong ETag of content, or of what determines it, such as a data version and the parameters."""
    raw = content.encode() if isinstance(content, str) else content
    return f'"{hashlib.blake2b(raw, digest_size=12).hexdigest()}"'


def etag_matches(header: str, etag: str) -> bool:
    """Return whether an If-None-Match header names the ETag, or any (`*`)."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags


def satisfies_if_match(request: Request, etag: str) -> bool:
    """Return whether If-Match, if there is one, names this version or any (`*`).

    A proxy that compresses makes the tag weak; it is the same tag.
    """
    headers = request.headers.getall("if-match", ())
    tags = [tag.strip().removeprefix("W/") for header in headers for tag in header.split(",")]
    return not headers or etag in tags or "*" in tags


def not_modified(request: Request, etag: str) -> HTTPResponse | None:
    """Make a 304 if the client has this version, else None.

    Where the ETag is known before the work is done, this saves the work.
    """
    header = request.headers.get("if-none-match")
    if header is None or request.method not in ("GET", "HEAD") or not etag_matches(header, etag):
        return None
    return HTTPResponse(status=304, headers=cache_headers(etag))


def with_etag(request: Request, response: HTTPResponse, etag: str | None = None) -> HTTPResponse:
    """Add an ETag, by default that of the body. Return a 304 instead if the client has this version."""
    tag = etag or make_etag(response.body or b"")
    response.headers.update(cache_headers(tag))
    return not_modified(request, tag) or response


def cache_headers(etag: str) -> dict[str, str]:
    return {"etag": etag, "cache-control": "private, no-cache", "vary": "Authorization, Accept"}
