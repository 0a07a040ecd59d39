"""Signing in and out, and the caller's live tokens."""

import secrets
import uuid

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.credentials import ListSessionsRequest, SessionResponse, SignOutRequest
from api.tokens import RefreshRequest, SignInForm, SignInRequest, TokenPairResponse
from service.accounts import sessions
from service.accounts.refresh import refresh_session
from service.accounts.sessions import SignInSeed
from service.accounts.token_pairs import PairSeed
from service.security.refresh_tokens import SECRET_BYTES
from transport.grants import FORM, read_grant
from transport.multipart import FORM as MULTIPART
from transport.operations import JSON, Page, operation
from transport.parsing import body, query
from transport.replicas import note_account
from transport.request import Request
from transport.responses import no_content, ok, page

blueprint = Blueprint("sessions")

token_pair_response = TokenPairResponse()
refresh_request = RefreshRequest()
sign_out_request = SignOutRequest()
list_sessions_request = ListSessionsRequest()


@blueprint.post("/user/auth", ctx_public=True, ctx_oauth=True)
@blueprint.post("/login", name="login", ctx_public=True, ctx_oauth=True)
@blueprint.post("/auth/login", name="auth_login", ctx_public=True, ctx_oauth=True)
@blueprint.post("/token", name="token", ctx_public=True, ctx_oauth=True)
@operation(
    body={JSON: SignInRequest, FORM: SignInForm, MULTIPART: SignInForm},
    responses={200: TokenPairResponse},
    problems={
        400: "unsupported_grant_type",
        401: ("bad_credentials", "totp_needed", "bad_token"),
        429: "too_many_at_once",
    },
)
async def sign_in(request: Request) -> HTTPResponse:
    """Sign in, by JSON or by a form: the password grant of OAuth 2, and its refresh token grant.

    An account with a second factor needs `totp` or `recovery_code` too: 401 `totp_needed` without.
    """
    match await read_grant(request):
        case {"refresh_token": refresh_token}:
            pair = await refresh_session(
                request.deps, refresh_token, seed=new_pair_seed(), origin=request.origin
            )
        case {"names": names, "password": password, "code": code}:
            pair = await sessions.sign_in(
                request.deps,
                names=names,
                password=password,
                code=code,
                seed=new_sign_in_seed(),
                origin=request.origin,
            )
    note_account(request, pair.access_token)
    return ok(token_pair_response.dump(pair))


@blueprint.post("/token/refresh", ctx_public=True, ctx_oauth=True)
@operation(body=RefreshRequest, responses={200: TokenPairResponse}, problems={401: "bad_token"})
async def refresh(request: Request) -> HTTPResponse:
    """Get a new pair for a refresh token. It works once; used again later, it ends its session."""
    token = body(request, refresh_request)["refresh_token"]
    pair = await refresh_session(request.deps, token, seed=new_pair_seed(), origin=request.origin)
    note_account(request, pair.access_token)
    return ok(token_pair_response.dump(pair))


def new_pair_seed() -> PairSeed:
    return PairSeed(uuid.uuid4(), secrets.token_bytes(SECRET_BYTES))


def new_sign_in_seed() -> SignInSeed:
    return SignInSeed(uuid.uuid4(), secrets.token_bytes(16), new_pair_seed())


@blueprint.post("/logout")
@blueprint.post("/auth/logout", name="auth_logout")
@operation(query=SignOutRequest, responses={204: None})
async def sign_out(request: Request) -> HTTPResponse:
    parameters = query(request, sign_out_request)
    await sessions.sign_out(request.deps, request.caller, everywhere=parameters["all"], origin=request.origin)
    return no_content()


@blueprint.get("/sessions")
@operation(query=ListSessionsRequest, responses={200: Page(SessionResponse)})
async def list_sessions(request: Request) -> HTTPResponse:
    parameters = query(request, list_sessions_request)
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
