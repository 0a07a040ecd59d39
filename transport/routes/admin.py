"""/admin: all accounts and the audit, for admins."""

import uuid

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.admin import (
    ActivityResponse,
    AuthEventResponse,
    ListActivityRequest,
    ListAuthEventsRequest,
    ListUserOverviewsRequest,
    UpdateUserRightsRequest,
    UserOverviewResponse,
)
from api.credentials import KeyResponse, ListKeysRequest, ListSessionsRequest, SessionResponse
from service.accounts import admin, admin_credentials
from transport.heavy import heavy_read
from transport.operations import Page, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import no_content, ok, page

blueprint = Blueprint("admin", url_prefix="/admin")


@blueprint.get("/users", ctx_admin=True)
@operation(query=ListUserOverviewsRequest, responses={200: Page(UserOverviewResponse)})
@heavy_read
async def list_users(request: Request) -> HTTPResponse:
    parameters = query(request, ListUserOverviewsRequest())
    rows = await admin.list_users(request.deps.replica, now=request.origin.at, **parameters)
    return page(
        request, UserOverviewResponse(), rows, limit=parameters["limit"], key=lambda row: (row.account.id,)
    )


@blueprint.patch("/users/<user_id:id>", ctx_admin=True)
@operation(body=UpdateUserRightsRequest, responses={200: UserOverviewResponse}, problems={409: "last_admin"})
async def update_user(request: Request, user_id: int) -> HTTPResponse:
    rights = body(request, UpdateUserRightsRequest())
    user = await admin.update_user(request.deps, user_id, **rights, origin=request.origin)
    return ok(UserOverviewResponse().dump(user))


@blueprint.get("/users/<user_id:id>/activity", ctx_admin=True)
@operation(query=ListActivityRequest, responses={200: Page(ActivityResponse)})
@heavy_read
async def list_activity(request: Request, user_id: int) -> HTTPResponse:
    parameters = query(request, ListActivityRequest())
    rows = await admin.list_activity(request.deps.replica, user_id, **parameters)
    return page(
        request, ActivityResponse(), rows, limit=parameters["limit"], key=lambda row: (row.at, row.ref)
    )


@blueprint.get("/users/<user_id:id>/sessions", ctx_admin=True)
@operation(query=ListSessionsRequest, responses={200: Page(SessionResponse)})
async def list_user_sessions(request: Request, user_id: int) -> HTTPResponse:
    parameters = query(request, ListSessionsRequest())
    rows = await admin_credentials.list_sessions(
        request.deps.db, user_id, now=request.origin.at, **parameters
    )
    schema = SessionResponse(current_id=request.caller.credential_id)
    return page(
        request, schema, rows, limit=parameters["limit"], key=lambda row: (row.created_at, str(row.id))
    )


@blueprint.delete("/users/<user_id:id>/sessions", ctx_admin=True)
@operation(responses={204: None})
async def end_user_sessions(request: Request, user_id: int) -> HTTPResponse:
    """End all sessions of a user, with all their tokens, on every worker at once."""
    await admin_credentials.end_sessions(request.deps, user_id, origin=request.origin)
    return no_content()


@blueprint.delete("/users/<user_id:id>/sessions/<session_id:uuid>", ctx_admin=True)
@operation(responses={204: None})
async def end_user_session(request: Request, user_id: int, session_id: uuid.UUID) -> HTTPResponse:
    await admin_credentials.end_sessions(request.deps, user_id, session_id=session_id, origin=request.origin)
    return no_content()


@blueprint.get("/users/<user_id:id>/keys", ctx_admin=True)
@operation(query=ListKeysRequest, responses={200: Page(KeyResponse)})
async def list_user_keys(request: Request, user_id: int) -> HTTPResponse:
    parameters = query(request, ListKeysRequest())
    rows = await admin_credentials.list_keys(request.deps.db, user_id, **parameters)
    return page(
        request, KeyResponse(), rows, limit=parameters["limit"], key=lambda row: (row.created_at, str(row.id))
    )


@blueprint.delete("/users/<user_id:id>/keys", ctx_admin=True)
@operation(responses={204: None})
async def end_user_keys(request: Request, user_id: int) -> HTTPResponse:
    """End all API keys of a user, on every worker at once."""
    await admin_credentials.end_keys(request.deps, user_id, origin=request.origin)
    return no_content()


@blueprint.delete("/users/<user_id:id>/keys/<key_id:uuid>", ctx_admin=True)
@operation(responses={204: None})
async def end_user_key(request: Request, user_id: int, key_id: uuid.UUID) -> HTTPResponse:
    await admin_credentials.end_keys(request.deps, user_id, key_id=key_id, origin=request.origin)
    return no_content()


@blueprint.get("/auth-events", ctx_admin=True)
@operation(query=ListAuthEventsRequest, responses={200: Page(AuthEventResponse)})
@heavy_read
async def list_auth_events(request: Request) -> HTTPResponse:
    parameters = query(request, ListAuthEventsRequest())
    rows = await admin.list_auth_events(request.deps.replica, **parameters)
    return page(
        request, AuthEventResponse(), rows, limit=parameters["limit"], key=lambda row: (row.at, row.id)
    )
