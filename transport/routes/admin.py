"""/admin: all accounts and the audit, for admins."""

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
from service.accounts import admin
from transport.heavy import heavy_read
from transport.operations import Page, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import ok, page

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


@blueprint.get("/auth-events", ctx_admin=True)
@operation(query=ListAuthEventsRequest, responses={200: Page(AuthEventResponse)})
@heavy_read
async def list_auth_events(request: Request) -> HTTPResponse:
    parameters = query(request, ListAuthEventsRequest())
    rows = await admin.list_auth_events(request.deps.replica, **parameters)
    return page(
        request, AuthEventResponse(), rows, limit=parameters["limit"], key=lambda row: (row.at, row.id)
    )
