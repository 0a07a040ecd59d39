"""/shares: links to views of the dashboard, and what such a link shows."""

import secrets
import uuid

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.shares import (
    CreateShareRequest,
    ListSharesRequest,
    NewShareResponse,
    SharedViewResponse,
    ShareResponse,
)
from service.accounts import shares
from service.errors import NotFound
from transport.base_path import link_to
from transport.operations import Page, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import created, no_content, ok, page

blueprint = Blueprint("shares")

create_share_request = CreateShareRequest()
list_shares_request = ListSharesRequest()
share_response = ShareResponse()
shared_view_response = SharedViewResponse()


@blueprint.post("/shares")
@operation(
    body=CreateShareRequest,
    responses={201: NewShareResponse},
    problems={409: "quota_exceeded", 422: "unknown_time_zone"},
)
async def create_share(request: Request) -> HTTPResponse:
    row, key = await shares.create_share(
        request.deps,
        request.caller,
        **body(request, create_share_request),
        share_id=uuid.uuid4(),
        secret=secrets.token_bytes(32),
        origin=request.origin,
    )
    link = link_to(request, f"/dashboard#share={key}")
    return created(f"/shares/{row.id}", NewShareResponse(link=link).dump(row))


@blueprint.get("/shares")
@operation(query=ListSharesRequest, responses={200: Page(ShareResponse)})
async def list_shares(request: Request) -> HTTPResponse:
    parameters = query(request, list_shares_request)
    rows = await shares.list_shares(request.deps.db, request.user_id, **parameters)
    return page(
        request,
        share_response,
        rows,
        limit=parameters["limit"],
        key=lambda row: (row.created_at, str(row.id)),
    )


@blueprint.get("/shares/current", ctx_share="own")
@operation(responses={200: SharedViewResponse}, problems={404: "not_found"})
async def get_shared_view(request: Request) -> HTTPResponse:
    """For the key of a share alone: the view that it shows."""
    share = request.caller.share
    if share is None:
        raise NotFound("this token is not the key of a share")
    newest = await shares.get_newest_visit_time(request.deps.replica)
    return ok(
        shared_view_response.dump({"view": share.view, "parameters": share.parameters, "newest": newest})
    )


@blueprint.delete("/shares/<share_id:uuid>")
@operation(responses={204: None})
async def delete_share(request: Request, share_id: uuid.UUID) -> HTTPResponse:
    await shares.delete_share(request.deps, request.user_id, share_id, request.origin)
    return no_content()
