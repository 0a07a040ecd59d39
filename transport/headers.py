"""Completes the headers of every answer: what browsers may do with it, who may keep it, who may read it."""

from typing import Any, cast

from sanic.response import BaseHTTPResponse

from transport.base_path import link_to
from transport.request import Request
from transport.routing import PREFIX

EXPOSED_HEADERS = "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Warning, X-Request-ID"
# Answers are data: shown by themselves they load nothing, run nothing and stand in no frame. Pages of ours
# replace the first by a policy of their own.
BROWSER_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
COMMON_HEADERS = {**BROWSER_HEADERS, "cache-control": "no-store", "server": "trawl"}
# As they are sent: Sanic would check and encode them again for each answer.
ENCODED_HEADERS = {name: (name.encode(), value.encode()) for name, value in COMMON_HEADERS.items()}


def complete_headers(request: Request, response: BaseHTTPResponse) -> None:
    """Complete the headers of a response; those that it has already stay.

    The common ones are set for the request, which `with_common_headers` adds as they are.
    """
    headers = response.headers
    headers.update(request.ctx.headers)
    headers["x-request-id"] = request.id
    request.ctx.common_headers = [pair for name, pair in ENCODED_HEADERS.items() if name not in headers]
    if request.app.ctx.draining:
        headers["connection"] = "close"
    location = headers.get("location", "")
    if location.startswith("/"):
        prefix = PREFIX if request.path.startswith(f"{PREFIX}/") else ""
        headers["location"] = link_to(request, prefix + location)
    origin = allowed_origin(request)
    if request.http.cors_origins:
        headers["vary"] = ", ".join(filter(None, (headers.get("vary"), "Origin")))
    if origin:
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = EXPOSED_HEADERS


def with_common_headers(message: dict[str, Any]) -> dict[str, Any]:
    """Return the ASGI message that begins the response of the current request, with the common headers."""
    request = cast(Request, Request.get_current())
    return {**message, "headers": [*message["headers"], *request.ctx.common_headers]}


def allowed_origin(request: Request) -> str | None:
    """Return the Origin of a request if its pages may read the response, else None."""
    origin: str | None = request.headers.get("origin")
    return origin if origin in request.http.cors_origins else None
