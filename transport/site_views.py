"""Views that pages of other origins report: what is wrong with one becomes its outcome, never an error."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

import orjson
from marshmallow import ValidationError
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse

from api.sites import CollectRequest, CollectResponse, PixelRequest, load_plain_view
from clock import now
from service.errors import TrawlError
from service.visits.record import Visitor
from service.visits.site_views import Outcome, SiteView, is_site_origin, record_site_view, url_origin
from transport.bodies import body_limit, read_body
from transport.errors import BadJson, pointers
from transport.limits import is_over_collect_limit
from transport.parsing import BOM, query
from transport.request import Request

REFUSALS = (SanicException, TrawlError, ValidationError)
OVER_LIMIT = Outcome("dropped", "too many views a minute from this address")
PIXEL_SECONDS = 1.0  # that a page waits for its image; the view is stored all the same
# Without this a browser keeps what it got from the pages of other origins.
CROSS_ORIGIN = {"cross-origin-resource-policy": "cross-origin"}
READABLE = {**CROSS_ORIGIN, "vary": "Origin"}

collect_request = CollectRequest()
pixel_request = PixelRequest()
collect_response = CollectResponse()


async def record_view(request: Request, read: Callable[[Request], Awaitable[SiteView]]) -> Outcome:
    """Record the view that `read` makes of a request. Return what became of it."""
    if await is_over_collect_limit(request):
        return OVER_LIMIT
    try:
        view = await read(request)
    except REFUSALS as error:
        return Outcome("ignored", describe(error))
    visitor = Visitor(None, request.address, now(), request.header_text("user-agent"))
    return await record_site_view(request.deps, visitor, view, randomness=secrets.randbits)


async def record_pixel_view(request: Request) -> None:
    """Record the view of an image's page, and wait for that no longer than a page should for an image."""
    recording = request.deps.background.spawn(record_view(request, read_pixel_view), name="view of a pixel")
    await asyncio.wait([recording], timeout=PIXEL_SECONDS)


async def read_posted_view(request: Request) -> SiteView:
    """Read a view from a JSON body of any content type: a beacon has that of text.

    :raises SanicException: the body is too large, or no JSON
    :raises ValidationError: a field is unknown or wrong
    """
    content = await read_body(request, body_limit(request))
    view = load_plain_view(content) or load_view(content)
    origin, header = page_origin(request), request.headers.get("referer")
    if view["referrer"] is None and header is not None and url_origin(header) != origin:
        view["referrer"] = header  # not of a browser, whose header names the page
    return SiteView(**view, origin=origin)


def load_view(content: bytes) -> dict[str, Any]:
    """Load a view from JSON by its schema.

    :raises BadJson: it is not JSON
    :raises ValidationError: a field is unknown or wrong
    """
    try:
        view: dict[str, Any] = collect_request.load(orjson.loads(content.removeprefix(BOM)))
    except orjson.JSONDecodeError as error:
        raise BadJson(f"the body is not JSON: {error}") from None
    return view


async def read_pixel_view(request: Request) -> SiteView:
    """Read a view from a query string, and its page from the Referer if need be.

    :raises ValidationError: a parameter is unknown or wrong, or there is no page
    """
    parameters = query(request, pixel_request)
    if parameters["page_url"] is None:
        page_url = request.headers.get("referer", "")
        parameters["page_url"] = pixel_request.fields["page_url"].deserialize(page_url)
    return SiteView(**parameters, origin=page_origin(request))


def page_origin(request: Request) -> str | None:
    """Return the origin of the page that sent a request, as its browser says."""
    origin: str | None = request.headers.get("origin")
    return origin or url_origin(request.headers.get("referer", ""))


def describe(error: Exception) -> str:
    """Describe in a line what is wrong with a view."""
    if isinstance(error, ValidationError):
        pointer, detail = next(pointers(error.messages))
        return f"{pointer.lstrip('/')}: {detail}" if pointer else detail
    return str(error)


@lru_cache(64)  # most are one of few
def dump_outcome(outcome: Outcome) -> bytes:
    return orjson.dumps(collect_response.dump(outcome))


async def allow_origin(request: Request, response: HTTPResponse) -> bool:
    """Let the pages of sites read a response. Return whether the request comes from one of them."""
    origin = request.headers.get("origin")
    response.headers.update(READABLE)
    is_allowed = origin is not None and await is_site_origin(request.deps, origin)
    if is_allowed:
        response.headers["access-control-allow-origin"] = origin
    return is_allowed
