"""/admin: all accounts and the audit, for admins."""

import uuid
from typing import Any

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
from api.limits import PAGE_SIZE
from service.accounts import admin, admin_credentials, auth_events
from transport.accept import accepted_format
from transport.heavy import heavy_export, heavy_read
from transport.operations import Page, Text, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import no_content, ok, page
from transport.streaming import stream_export

blueprint = Blueprint("admin", url_prefix="/admin")

list_user_overviews_request = ListUserOverviewsRequest()
user_overview_response = UserOverviewResponse()
update_user_rights_request = UpdateUserRightsRequest()
list_activity_request = ListActivityRequest()
activity_response = ActivityResponse()
list_sessions_request = ListSessionsRequest()
list_keys_request = ListKeysRequest()
key_response = KeyResponse()
list_auth_events_request = ListAuthEventsRequest()
auth_event_response = AuthEventResponse()

AUDIT_TYPES = {
    "application/json": "json",
    "text/csv": "csv",
    "application/*": "json",
    "text/*": "csv",
    "*/*": "json",
}
AUDIT_FIELDS = tuple(field.data_key or name for name, field in AuthEventResponse().fields.items())
AUDIT_EXAMPLE = "71,2026-05-06T07:08:09Z,login,7,anna,anna,192.0.2.7,curl/8.5.0"


@blueprint.get("/users", ctx_admin=True)
@operation(query=ListUserOverviewsRequest, responses={200: Page(UserOverviewResponse)})
@heavy_read
async def list_users(request: Request) -> HTTPResponse:
    parameters = query(request, list_user_overviews_request)
    rows = await admin.list_users(request.deps.replica, now=request.origin.at, **parameters)
    return page(
        request, user_overview_response, rows, limit=parameters["limit"], key=lambda row: (row.account.id,)
    )


@blueprint.get("/users/<user_id:id>", ctx_admin=True)
@operation(responses={200: UserOverviewResponse})
@heavy_read
async def get_user(request: Request, user_id: int) -> HTTPResponse:
    user = await admin.get_user(request.deps.replica, user_id, now=request.origin.at)
    return ok(user_overview_response.dump(user))


@blueprint.patch("/users/<user_id:id>", ctx_admin=True)
@operation(body=UpdateUserRightsRequest, responses={200: UserOverviewResponse}, problems={409: "last_admin"})
async def update_user(request: Request, user_id: int) -> HTTPResponse:
    rights = body(request, update_user_rights_request)
    user = await admin.update_user(request.deps, user_id, **rights, origin=request.origin)
    return ok(user_overview_response.dump(user))


@blueprint.get("/users/<user_id:id>/activity", ctx_admin=True)
@operation(query=ListActivityRequest, responses={200: Page(ActivityResponse)})
@heavy_read
async def list_activity(request: Request, user_id: int) -> HTTPResponse:
    parameters = query(request, list_activity_request)
    rows = await admin.list_activity(request.deps.replica, user_id, **parameters)
    return page(
        request, activity_response, rows, limit=parameters["limit"], key=lambda row: (row.at, row.ref)
    )


@blueprint.get("/users/<user_id:id>/sessions", ctx_admin=True)
@operation(query=ListSessionsRequest, responses={200: Page(SessionResponse)})
async def list_user_sessions(request: Request, user_id: int) -> HTTPResponse:
    parameters = query(request, list_sessions_request)
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
    parameters = query(request, list_keys_request)
    rows = await admin_credentials.list_keys(request.deps.db, user_id, **parameters)
    return page(
        request, key_response, rows, limit=parameters["limit"], key=lambda row: (row.created_at, str(row.id))
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
@operation(
    query=ListAuthEventsRequest,
    responses={
        200: {
            "application/json": Page(AuthEventResponse),
            "text/csv": Text(f"{','.join(AUDIT_FIELDS)}\r\n{AUDIT_EXAMPLE}\r\n"),
        }
    },
    problems={429: "too_many_at_once", 503: "too_expensive"},
)
async def list_auth_events(request: Request) -> HTTPResponse | None:
    """The audit, newest first: a page of it, or a table of all that passes the filters.

    CSV is what `format=csv` asks for, or Accept. It has as many rows as `limit` says, all of them without.
    """
    parameters = query(request, list_auth_events_request)
    form, raw = parameters.pop("format"), parameters.pop("raw")
    if (form or accepted_format(request, AUDIT_TYPES, default="json")) == "csv":
        return await export_audit(request, parameters, raw=raw)
    return await show_audit_page(request, parameters | {"limit": parameters["limit"] or PAGE_SIZE})


@heavy_export
async def export_audit(request: Request, parameters: dict[str, Any], *, raw: bool) -> HTTPResponse | None:
    rows = auth_events.export_auth_events(request.deps.replica, **parameters)
    return await stream_export(request, rows, names=AUDIT_FIELDS, form="csv", filename="audit", raw=raw)


@heavy_read
async def show_audit_page(request: Request, parameters: dict[str, Any]) -> HTTPResponse:
    rows = await auth_events.list_auth_events(request.deps.replica, **parameters)
    return page(
        request, auth_event_response, rows, limit=parameters["limit"], key=lambda row: (row.at, row.id)
    )
