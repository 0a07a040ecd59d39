"""One problem shape (RFC 9457) for everything that can go wrong."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from marshmallow import ValidationError
from redis.exceptions import RedisError
from sanic.exceptions import BadRequest, MethodNotAllowed, SanicException
from sanic.response import HTTPResponse

from api.bulk import dump_errors
from api.fields import CodedMessage
from db.outages import describe, is_disk_full, is_outage, is_read_only, refuses_value
from service.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    TooLarge,
    TooMany,
    TooSlow,
    TrawlError,
    Unauthorized,
    Unavailable,
)
from telemetry.disk import read_space
from telemetry.logs import OncePerPeriod, PeriodicWarning
from transport.oauth import add_oauth_error
from transport.request import Request

log = structlog.get_logger("trawl.errors")

PROBLEM = "application/problem+json"
STATUSES: dict[type[TrawlError], int] = {
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    PreconditionFailed: 412,
    TooSlow: 408,
    Invalid: 422,
    TooLarge: 413,
    TooMany: 429,
    Unavailable: 503,
}
CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    414: "url_too_long",
    415: "unsupported_media_type",
}
RETRY_AFTER = 1  # seconds
RETRY_AFTER_DISK_FULL = 60  # somebody must make room
disk_full_warning = PeriodicWarning("disk_full")
outage_traces = OncePerPeriod()


class BadJson(BadRequest):
    """The body is not JSON."""

    code = "bad_json"


class UnsupportedMediaType(SanicException):
    """The body has a media type or an encoding that is not taken here."""

    status_code = 415
    quiet = True


def problem(request_id: str, status: int, code: str, detail: str, **members: Any) -> HTTPResponse:
    """Make a problem document. X-Request-ID and other headers come from the response middleware."""
    # Headers that are not UTF-8 are told with surrogates in place of their bytes, which no JSON can hold.
    detail = detail.encode(errors="backslashreplace").decode()
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **members,
    }
    return HTTPResponse(orjson.dumps(document), status, content_type=PROBLEM)


def to_response(request: Request, error: Exception) -> HTTPResponse:
    """Turn an error into a problem document, on routes that give tokens with OAuth's members."""
    response = _problem_of(request, error)
    gives_tokens = request.route is not None and getattr(request.route.ctx, "oauth", False)
    return add_oauth_error(response) if gives_tokens else response


def _problem_of(request: Request, error: Exception) -> HTTPResponse:
    """Make the problem of an error. An unexpected one is logged; the client learns nothing of it."""
    if isinstance(error, TrawlError):
        return _use_case_problem(request, error)
    if isinstance(error, ValidationError):
        return _validation_problem(request, list(pointers(error.messages)))
    if isinstance(error, SanicException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _http_problem(request, error)
    if refuses_value(error):
        log.warning("data_refused_by_database", exc_info=error)
        return problem(request.id, 422, "invalid", "a value can't be stored", errors=[])
    if is_disk_full(error) or (is_read_only(error) and has_full_disk(request)):
        disk_full_warning.log(cause=describe(error))
        response = problem(request.id, 503, "disk_full", "there is no room to store this; nothing was stored")
        response.headers["retry-after"] = str(RETRY_AFTER_DISK_FULL)
        return response
    if is_outage(error) or isinstance(error, RedisError):
        # Every request meets it, and a traceback of all layers has 15 KB: that fills a busy server's disk.
        trace = error if outage_traces.is_due() else None
        log.error("dependency_away", cause=describe(error), exc_info=trace)
        response = problem(request.id, 503, "unavailable", "not available right now, try again")
        response.headers["retry-after"] = str(RETRY_AFTER)
        return response
    log.error("request_failed", exc_info=error)
    return problem(request.id, 500, "internal_error", "something went wrong here; the server's log says what")


def has_full_disk(request: Request) -> bool:
    """Return whether the disk of DATA_DIR is so full that the embedded PostgreSQL takes no writes."""
    folder = request.deps.data_dir
    space = None if folder is None else read_space(folder)
    return space is not None and space.is_full


def _use_case_problem(request: Request, error: TrawlError) -> HTTPResponse:
    status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 400)
    if isinstance(error, Invalid):
        return problem(request.id, status, error.code, error.detail, errors=dump_errors(error.errors))
    response = problem(request.id, status, error.code, error.detail)
    if isinstance(error, Unauthorized):
        response.headers["www-authenticate"] = "Bearer"
    if isinstance(error, TooSlow):
        response.headers["connection"] = "close"
    if isinstance(error, TooMany | Unavailable) and error.retry_after is not None:
        response.headers["retry-after"] = str(error.retry_after)
    return response


def _validation_problem(request: Request, errors: list[tuple[str, str]]) -> HTTPResponse:
    pointer, detail = errors[0]
    code = next((each.code for _, each in errors if isinstance(each, CodedMessage)), "invalid")
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return problem(
        request.id,
        422,
        code,
        f"{pointer.lstrip('/') or 'the body'}: {detail}{more}",
        errors=dump_errors(errors),
    )


def _http_problem(request: Request, error: SanicException) -> HTTPResponse:
    status = error.status_code
    detail = str(error) if isinstance(error, BadRequest | UnsupportedMediaType) else HTTPStatus(status).phrase
    if isinstance(error, MethodNotAllowed):
        detail = f"{request.method} is not a method of this path"
    elif status == HTTPStatus.NOT_FOUND:
        detail = "there is nothing at this path"
    code = getattr(error, "code", None) or CODES.get(status, "bad_request")
    response = problem(request.id, status, code, detail)
    response.headers.update(error.headers or {})
    return response


def pointers(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Flatten marshmallow's nested messages to (JSON pointer, detail) pairs, the pointers below `path`."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            yield from pointers(inner, path if name == "_schema" else f"{path}/{escaped}")
    elif isinstance(messages, list):
        for inner in messages:
            yield from pointers(inner, path)
    else:
        yield path, messages if isinstance(messages, str) else str(messages)
