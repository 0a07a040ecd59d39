"""/profile: the caller's own account."""

import secrets
import uuid

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.accounts import UpdateProfileRequest, UserResponse
from service.accounts import accounts, profile
from transport.operations import operation
from transport.parsing import body
from transport.request import Request
from transport.responses import no_content, ok, with_etag

blueprint = Blueprint("profile")


user_response = UserResponse()  # made once: making a schema costs more than dumping a row


@blueprint.get("/profile", ctx_scope="profile:read")
@operation(responses={200: UserResponse}, etag=True)
async def get_profile(request: Request) -> HTTPResponse:
    account = await accounts.get_account(request.deps.db, request.user_id)
    return with_etag(request, ok(user_response.dump(account)))


@blueprint.patch("/profile")
@operation(
    body=UpdateProfileRequest,
    responses={200: UserResponse},
    problems={403: "bad_credentials", 409: "email_taken", 429: "too_many_at_once"},
)
async def update_profile(request: Request) -> HTTPResponse:
    account = await profile.update_profile(
        request.deps,
        request.caller,
        body(request, UpdateProfileRequest()),
        attempt_id=uuid.uuid4(),
        salt=secrets.token_bytes(16),
        origin=request.origin,
    )
    return ok(user_response.dump(account))


@blueprint.delete("/profile")
@operation(responses={204: None})
async def delete_profile(request: Request) -> HTTPResponse:
    await profile.delete_account(request.deps, request.user_id, request.origin)
    return no_content()
