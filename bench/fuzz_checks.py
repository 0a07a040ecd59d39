"""Judges what came back on a hostile request."""

import json
from http import HTTPStatus

from multidict import CIMultiDict

from bench.hostile_requests import HostileRequest
from bench.wire import Response
from tests.support.document_checks import check_declared, document
from transport.headers import BROWSER_HEADERS
from transport.heavy import CLIENT_CLOSED_REQUEST

PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
LARGE = 32 * 1024  # bytes
SECRETS = (b"Traceback (most recent", b"asyncpg", b"sqlalchemy", b'File "/')


class Fault(Exception):
    """The server did what it must not do."""


def check(request: HostileRequest, response: Response | None) -> None:
    """Check a response, or that there is none.

    :raises Fault: it is none that this request may get
    """
    if response is None:
        # A large body that is answered before it was read resets the connection; the answer may be lost.
        if request.is_http and len(request.data) < LARGE:
            raise Fault("no answer: the connection was closed")
        return
    check_status(request, response)
    if request.end and response.status == CLIENT_CLOSED_REQUEST:
        return
    if response.status >= HTTPStatus.BAD_REQUEST and request.method != "HEAD":
        check_problem(request, response)
    missing = BROWSER_HEADERS.keys() - response.headers.keys()
    if missing and (request.is_http or "x-request-id" in response.headers):
        raise Fault(f"{response.status} without {', '.join(sorted(missing))}")
    if any(secret in response.body for secret in SECRETS):
        raise Fault("the answer tells of the inside")
    if request.operation is not None and request.is_http and response.status != HTTPStatus.NO_CONTENT:
        check_document(request, response)


def check_status(request: HostileRequest, response: Response) -> None:
    status, operation = response.status, request.operation
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE:
        raise Fault(f"{status}")
    if operation is None or not request.is_http:
        return
    if request.method == "HEAD" and status == HTTPStatus.NO_CONTENT:
        return  # a GET would import or record something
    if str(status) not in operation.description["responses"]:
        raise Fault(f"{status}, which the document does not tell")
    is_success = status < HTTPStatus.BAD_REQUEST
    if is_success and operation.is_private and request.caller in ("nobody", "forged"):
        raise Fault(f"{status} for {request.caller}")
    if is_success and operation.is_for_admins and request.caller != "admin":
        raise Fault(f"{status} for {request.caller}, though it is for admins")


def check_problem(request: HostileRequest, response: Response) -> None:
    """Check that a refusal is a problem document; the HTTP server's own of what is not HTTP have no body."""
    if not request.is_http and not response.body and "x-request-id" not in response.headers:
        return
    if response.headers.get("content-type") != PROBLEM:
        if request.operation is not None and response.headers.get("content-type", "") in other_types(
            request, response.status
        ):
            return
        raise Fault(f"{response.status} is not a problem document")
    problem = json.loads(response.body)
    if not set(problem) >= MEMBERS or problem["status"] != response.status:
        raise Fault(f"{response.status}: the problem lacks members, or has another status")
    if problem["request_id"] != response.headers.get("x-request-id"):
        raise Fault("the problem has another request id than the header")


def other_types(request: HostileRequest, status: int) -> set[str]:
    """Return the media types beside problems that the document has for a status, such as /health's 503."""
    assert request.operation is not None
    response = request.operation.description["responses"].get(str(status), {})
    return set(response.get("content", {}))


def check_document(request: HostileRequest, response: Response) -> None:
    operation = request.operation
    assert operation is not None
    if operation.path not in document()["paths"]:
        raise Fault("the server's document is not that of this code")
    is_head = request.method == "HEAD"
    try:
        check_declared(
            f"{request.method} {operation.path} answered {response.status}",
            (operation.path, operation.method),
            status=response.status,
            headers=CIMultiDict(response.headers),
            body=None if is_head or operation.path.endswith("/live") else response.body,
        )
    except (AssertionError, ValueError) as error:
        raise Fault(str(error)) from None
