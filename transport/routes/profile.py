"""/profile: the caller's own account."""

import secrets
import uuid

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.accounts import DeleteAccountRequest, UpdateProfileRequest, UserResponse
from service.accounts import accounts, profile
from transport.operations import REAUTHENTICATION, operation
from transport.parsing import body, optional_body
from transport.request import Request
from transport.responses import no_content, ok, with_etag

blueprint = Blueprint("profile")

user_response = UserResponse()
update_profile_request = UpdateProfileRequest()
delete_account_request = DeleteAccountRequest()


@blueprint.get("/profile", ctx_scope="profile:read")
@blueprint.get("/auth/me", name="auth_me", ctx_scope="profile:read")
@operation(responses={200: UserResponse}, etag=True)
async def get_profile(request: Request) -> HTTPResponse:
    account = await accounts.get_account(request.deps.db, request.user_id)
    return with_etag(request, ok(user_response.dump(account)))


@blueprint.patch("/profile")
@operation(
    body=UpdateProfileRequest,
    responses={200: UserResponse},
    problems={403: REAUTHENTICATION, 409: "email_taken", 429: "too_many_at_once"},
)
async def update_profile(request: Request) -> HTTPResponse:
    account = await profile.update_profile(
        request.deps,
        request.caller,
        body(request, update_profile_request),
        attempt_id=uuid.uuid4(),
        salt=secrets.token_bytes(16),
        origin=request.origin,
    )
    return ok(user_response.dump(account))


@blueprint.delete("/profile")
@operation(
    body=DeleteAccountRequest,
    is_body_optional=True,
    responses={204: None},
    problems={403: REAUTHENTICATION, 409: "last_admin", 429: "too_many_at_once"},
)
async def delete_profile(request: Request) -> HTTPResponse:
    await profile.delete_account(
        request.deps,
        request.caller,
        **optional_body(request, delete_account_request),
        attempt_id=uuid.uuid4(),
        origin=request.origin,
    )
    return no_content()
