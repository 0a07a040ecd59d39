"""Describes the problems of a route: those of its kind, and those that it declares itself."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from api.problems import ProblemResponse, TokenProblemResponse
from api.times import TimeZone
from transport.errors import PROBLEM
from transport.oauth import oauth_error
from transport.openapi.routes import RouteFacts

REQUEST_ID = "6f1c0e5c2f0b4f7d9a8e3c1b5d7f9a2b"
DETAILS = {
    "admins_only": "only admins may do this",
    "bad_credentials": "no active account has this login and password",
    "bad_json": "the body is not JSON: unexpected character: line 1 column 1 (char 0)",
    "bad_request": "the query string is not UTF-8, or has too many parameters",
    "bad_reset_token": "token: is wrong, used or too old; ask for a new one",
    "bad_totp_code": "code: is wrong; use the app's current code, and check the clocks of both devices",
    "bad_token": "the token is not valid, or no longer",
    "precondition_failed": "task 7 is no longer as you have seen it",
    "busy": "too many large bodies at once",
    "disk_full": "there is no room to store this; nothing was stored",
    "internal_error": "something went wrong here; the server's log says what",
    "invalid": "title: must have 1 to 200 characters",
    "login_taken": "this login is taken",
    "movies_not_configured": "films can't be looked up here: no KINOPOISK_API_KEY is set",
    "movies_unavailable": "films can't be looked up right now",
    "not_found": "there is nothing at this path",
    "not_yours": "only the user concerned may do this",
    "out_of_scope": "this needs another scope, or a token: keys are not taken everywhere",
    "rate_limited": "over 100 requests a minute",
    "request_timeout": "the body did not arrive, or arrived too slowly",
    "reauthentication_needed": "this needs current_password, or a sign-in less than 10 minutes ago",
    "registration_closed": "only an admin creates users here",
    "last_admin": "this is the last active admin",
    "quota_exceeded": "an account may have 50 keys; delete some first",
    "unsupported_grant_type": "grant_type must be password or refresh_token",
    "totp_enabled": "there is a second factor; delete it for a new one",
    "totp_needed": "this account has a second factor: totp or recovery_code is needed too",
    "too_large": "the body is over 1048576 bytes",
    "too_expensive": "this takes longer than 10 s: ask for less",
    "too_many_at_once": "too many reads at once for one account, or for this server",
    "unauthorized": "this needs one Authorization header with a token",
    "unavailable": "not available right now, try again",
    "unknown_time_zone": "tz: must be an IANA time zone such as Europe/Berlin",
    "unknown_host": "this server has another name",
    "unsupported_media_type": "the body must be application/json, not text/plain",
    "unsupported_transfer_encoding": "this Transfer-Encoding is not taken here",
}
LIMIT_HEADERS = ("RateLimit-Policy", "RateLimit")


def problem_codes(route: RouteFacts) -> dict[int, tuple[str, ...]]:
    """List the codes of the problems that a route may answer with, by status."""
    codes: dict[int, tuple[str, ...]] = {}
    if route.limit == "collect":  # answers 202 to whatever the server takes for a request
        return {400: ("bad_request", "unknown_host")}
    if route.has_body:
        codes |= {
            400: ("bad_request", "unknown_host", "bad_json", "unsupported_transfer_encoding"),
            408: ("request_timeout",),
            413: ("too_large",),
            415: ("unsupported_media_type",),
        }
    else:
        codes[400] = ("bad_request", "unknown_host")
    if not route.public:
        codes[401] = ("unauthorized", "bad_token")
        codes[403] = ("out_of_scope", "admins_only") if route.admin else ("out_of_scope",)
    if route.parameters:
        codes[404] = ("not_found",)
    if route.operation.if_match:
        codes[412] = ("precondition_failed",)
    if route.operation.query or route.operation.body is not None:
        codes[422] = ("invalid", TimeZone.code) if takes_time_zone(route) else ("invalid",)
    codes |= refusal_codes(route)
    for status, declared in route.operation.problems.items():
        codes[status] = tuple(dict.fromkeys((*codes.get(status, ()), *declared)))
    return dict(sorted(codes.items()))


def refusal_codes(route: RouteFacts) -> dict[int, tuple[str, ...]]:
    """List the codes of what limits and bounds refuse, by status."""
    codes: dict[int, tuple[str, ...]] = {}
    if route.limit != "none":
        codes[429] = ("rate_limited",)
    if route.limit != "none" or not route.public:
        codes[503] = ("unavailable",)
    if route.heavy is not None:
        codes[429] = (*codes.get(429, ()), "too_many_at_once")
    if route.heavy == "reads":
        codes[503] = (*codes.get(503, ()), "too_expensive")
    if route.has_body:
        codes[429] = (*codes.get(429, ()), "too_many_at_once")
        codes[503] = (*codes.get(503, ()), "busy")
    if route.has_body and route.limit != "none":
        codes[503] = (*codes.get(503, ()), "disk_full")
    return codes


def takes_time_zone(route: RouteFacts) -> bool:
    fields = [field for schema in route.operation.query for field in schema().fields.values()]
    return any(isinstance(field, TimeZone) for field in fields)


def problem_response(status: int, codes: Sequence[str], *, oauth: bool = False) -> dict[str, Any]:
    """Describe the response of a status, with an example of each code; `oauth` adds OAuth's members."""
    schema = TokenProblemResponse if oauth else ProblemResponse
    phrase = HTTPStatus(status).phrase
    names = ["X-Request-ID", *LIMIT_HEADERS, *(["Retry-After"] if status in (429, 503) else [])]
    names += ["WWW-Authenticate"] if status == HTTPStatus.UNAUTHORIZED else []
    return {
        "description": f"{phrase}: {', '.join(f'`{code}`' for code in codes)}",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {
            PROBLEM: {
                "schema": {"$ref": f"#/components/schemas/{schema.__name__}"},
                "examples": {code: {"value": example(status, code, oauth=oauth)} for code in codes},
            }
        },
    }


def example(status: int, code: str, *, oauth: bool) -> dict[str, Any]:
    """Make an example of a problem document. `oauth` adds the fields of RFC 6749 for clients of /token."""
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": DETAILS.get(code, code.replace("_", " ")),
        "code": code,
        "request_id": REQUEST_ID,
    }
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        problem["errors"] = [{"pointer": "/title", "detail": "must have 1 to 200 characters"}]
    error = oauth_error(status, code) if oauth else None
    return problem | ({"error": error, "error_description": problem["detail"]} if error else {})
