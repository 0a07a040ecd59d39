"""Forgotten passwords: a token from an admin or by mail, and the new password that it sets."""

import secrets

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.password_resets import ForgotPasswordRequest, PasswordResetResponse, ResetPasswordRequest
from service.accounts import password_resets
from transport.languages import preferred_language
from transport.limits import limit_password_resets
from transport.operations import operation
from transport.parsing import body
from transport.request import Request
from transport.responses import created, no_content

blueprint = Blueprint("password_resets")

password_reset_response = PasswordResetResponse()
forgot_password_request = ForgotPasswordRequest()
reset_password_request = ResetPasswordRequest()


@blueprint.post("/admin/users/<user_id:id>/password-reset", ctx_admin=True)
@operation(responses={201: PasswordResetResponse})
async def create_password_reset(request: Request, user_id: int) -> HTTPResponse:
    """Create a token that sets the user's password once, within an hour. It is shown this once."""
    reset = await password_resets.create_reset(
        request.deps.db, user_id, secret=secrets.token_bytes(32), origin=request.origin
    )
    return created("/password/reset", password_reset_response.dump(reset))


@blueprint.post("/password/forgot", ctx_public=True)
@operation(body=ForgotPasswordRequest, responses={202: None})
async def forgot_password(request: Request) -> HTTPResponse:
    """Have a token mailed to the account's e-mail, if the server sends mails. The answer is always the same.

    One address has 5 requests about passwords a minute and 20 an hour, unless RATE_LIMIT_PER_MINUTE is 0.
    """
    login = body(request, forgot_password_request)["login"]
    await limit_password_resets(request)
    password_resets.request_mail(
        request.deps,
        login=login,
        secret=secrets.token_bytes(32),
        language=preferred_language(request.headers.get("accept-language", "")),
        origin=request.origin,
    )
    return HTTPResponse(status=202, content_type="text/plain; charset=utf-8")


@blueprint.post("/password/reset", ctx_public=True)
@operation(
    body=ResetPasswordRequest,
    responses={204: None},
    problems={422: "bad_reset_token", 429: "too_many_at_once"},
)
async def reset_password(request: Request) -> HTTPResponse:
    """Set a new password by a token, which works once. It ends all sessions and keys of the account.

    One address has 5 requests about passwords a minute and 20 an hour, unless RATE_LIMIT_PER_MINUTE is 0.
    """
    values = body(request, reset_password_request)
    await limit_password_resets(request)
    await password_resets.reset_password(
        request.deps, **values, salt=secrets.token_bytes(16), origin=request.origin
    )
    return no_content()
