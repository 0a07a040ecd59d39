"""Signing in and out, and the caller's live tokens."""

import secrets
import uuid

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.accounts import AccessTokenResponse, SignInRequest
from api.credentials import ListSessionsRequest, SessionResponse, SignOutRequest
from service.accounts import sessions
from transport.operations import Page, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import no_content, ok, page

blueprint = Blueprint("sessions")


@blueprint.post("/user/auth", ctx_public=True)
@blueprint.post("/login", name="login", ctx_public=True)
@blueprint.post("/auth/login", name="auth_login", ctx_public=True)
@operation(
    body=SignInRequest,
    responses={200: AccessTokenResponse},
    problems={401: "bad_credentials", 429: "too_many_at_once"},
)
async def sign_in(request: Request) -> HTTPResponse:
    token = await sessions.sign_in(
        request.deps,
        **body(request, SignInRequest()),
        session_id=uuid.uuid4(),
        salt=secrets.token_bytes(16),
        origin=request.origin,
    )
    return ok(AccessTokenResponse().dump(token))


@blueprint.post("/logout")
@operation(query=SignOutRequest, responses={204: None})
async def sign_out(request: Request) -> HTTPResponse:
    parameters = query(request, SignOutRequest())
    await sessions.sign_out(request.deps, request.caller, everywhere=parameters["all"], origin=request.origin)
    return no_content()


@blueprint.get("/sessions")
@operation(query=ListSessionsRequest, responses={200: Page(SessionResponse)})
async def list_sessions(request: Request) -> HTTPResponse:
    parameters = query(request, ListSessionsRequest())
    rows = await sessions.list_sessions(request.deps.db, request.user_id, now=request.origin.at, **parameters)
    schema = SessionResponse(current_id=request.caller.credential_id)
    return page(
        request, schema, rows, limit=parameters["limit"], key=lambda row: (row.created_at, str(row.id))
    )


@blueprint.delete("/sessions/<session_id:uuid>")
@operation(responses={204: None})
async def end_session(request: Request, session_id: uuid.UUID) -> HTTPResponse:
    await sessions.delete_session(request.deps, request.user_id, session_id, request.origin)
    return no_content()
