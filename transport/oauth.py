"""What OAuth 2 (RFC 6749) adds to problems of the routes that give tokens: the member `error`."""

from http import HTTPStatus

import orjson
from sanic.response import HTTPResponse

ERRORS = {
    "bad_credentials": "invalid_grant",
    "bad_token": "invalid_grant",
    "totp_needed": "invalid_grant",
    "unsupported_grant_type": "unsupported_grant_type",
}
# What RFC 6749 (5.2) does not allow in a description, and what stands for it.
NOT_ALLOWED = str.maketrans({'"': "'", "\\": "/"})


def oauth_error(status: int, code: str) -> str | None:
    """Return the `error` of a problem; None where OAuth has none, because it is the server's fault."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "temporarily_unavailable"
    return ERRORS.get(code, "invalid_request")


def add_oauth_error(response: HTTPResponse) -> HTTPResponse:
    """Add `error` and `error_description` to a problem."""
    problem = orjson.loads(response.body or b"{}")
    error = oauth_error(problem["status"], problem["code"])
    if error is not None:
        description = problem["detail"].translate(NOT_ALLOWED).encode("ascii", "replace").decode()
        members = {"error": error, "error_description": description}
        response.body = orjson.dumps({**problem, **members})
    return response
