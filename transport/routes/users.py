"""Accounts from outside: signing up, and what users see and change of each other."""

import secrets
import uuid

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.accounts import (
    CreateUserRequest,
    DeleteAccountRequest,
    ListUsersRequest,
    RegisterRequest,
    UpdateUserRequest,
    UserResponse,
)
from service.accounts import accounts, profile
from service.accounts.accounts import NewAccount
from transport.auth import admit_sign_up, require_self
from transport.operations import REAUTHENTICATION, Page, operation
from transport.parsing import body, optional_body, query
from transport.request import Request
from transport.responses import created, no_content, ok, page

blueprint = Blueprint("users")

# Made once: making a schema costs more than dumping a row.
list_request = ListUsersRequest()
user_response = UserResponse()
create_user_request = CreateUserRequest()
register_request = RegisterRequest()
update_user_request = UpdateUserRequest()
delete_account_request = DeleteAccountRequest()

SIGN_UP_PROBLEMS = {
    401: ("unauthorized", "bad_token"),  # where registration is closed
    403: ("registration_closed",),
    409: ("login_taken", "email_taken"),
    429: ("too_many_at_once",),
}


@blueprint.post("/user", ctx_public=True)
@operation(body=CreateUserRequest, responses={201: UserResponse}, problems=SIGN_UP_PROBLEMS)
async def create_user(request: Request) -> HTTPResponse:
    """Sign up. One address has 5 sign-ups a minute and 20 an hour, unless RATE_LIMIT_PER_MINUTE is 0."""
    return await register(request, NewAccount(**body(request, create_user_request)))


@blueprint.post("/register", ctx_public=True)
@blueprint.post("/auth/register", name="auth_register", ctx_public=True)
@operation(body=RegisterRequest, responses={201: UserResponse}, problems=SIGN_UP_PROBLEMS)
async def sign_up(request: Request) -> HTTPResponse:
    """Sign up. One address has 5 sign-ups a minute and 20 an hour, unless RATE_LIMIT_PER_MINUTE is 0."""
    return await register(request, NewAccount(**body(request, register_request)))


async def register(request: Request, new: NewAccount) -> HTTPResponse:
    await admit_sign_up(request)
    deps = request.deps
    account = await accounts.create_account(
        deps.db, deps.hasher, new, salt=secrets.token_bytes(16), origin=request.origin
    )
    request.ctx.wrote_as = account.id
    return created(f"/user/{account.id}", user_response.dump(account))


@blueprint.get("/user/all")
@operation(query=ListUsersRequest, responses={200: Page(UserResponse)})
async def list_users(request: Request) -> HTTPResponse:
    parameters = query(request, list_request)
    rows = await accounts.list_accounts(request.deps.replica, **parameters)
    schema = user_response.seen_by(None if request.caller.is_admin else request.user_id)
    return page(request, schema, rows, limit=parameters["limit"], key=lambda row: (row.id,))


@blueprint.patch("/user/<user_id:id>")
@operation(body=UpdateUserRequest, responses={200: UserResponse}, problems={403: "not_yours"})
async def update_user(request: Request, user_id: int) -> HTTPResponse:
    require_self(request, user_id)
    account = await profile.update_names(request.deps.db, user_id, body(request, update_user_request))
    return ok(user_response.dump(account))


@blueprint.delete("/user/<user_id:id>")
@operation(
    body=DeleteAccountRequest,
    is_body_optional=True,
    responses={204: None},
    problems={403: ("not_yours", *REAUTHENTICATION), 409: "last_admin", 429: "too_many_at_once"},
)
async def delete_user(request: Request, user_id: int) -> HTTPResponse:
    require_self(request, user_id)
    await profile.delete_account(
        request.deps,
        request.caller,
        **optional_body(request, delete_account_request),
        attempt_id=uuid.uuid4(),
        origin=request.origin,
    )
    return no_content()
