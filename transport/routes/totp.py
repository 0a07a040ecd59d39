"""/profile/totp: the caller's second factor."""

import secrets
import uuid

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.totp import (
    ConfirmTotpRequest,
    NewTotpResponse,
    RecoveryCodesResponse,
    TotpRequest,
    TotpStateResponse,
)
from service.accounts import totp
from service.accounts.totp import TotpSeed
from service.security.sealing import NONCE_BYTES
from service.security.totp import RECOVERY_CODE_BYTES, RECOVERY_CODES, SECRET_BYTES
from transport.operations import REAUTHENTICATION, operation
from transport.parsing import body, optional_body
from transport.request import Request
from transport.responses import created, no_content, ok

blueprint = Blueprint("totp")

totp_state_response = TotpStateResponse()
totp_request = TotpRequest()
new_totp_response = NewTotpResponse()
confirm_totp_request = ConfirmTotpRequest()
recovery_codes_response = RecoveryCodesResponse()


@blueprint.get("/profile/totp")
@operation(responses={200: TotpStateResponse})
async def get_totp(request: Request) -> HTTPResponse:
    return ok(totp_state_response.dump(await totp.get_state(request.deps.db, request.user_id)))


@blueprint.post("/profile/totp")
@operation(
    body=TotpRequest,
    is_body_optional=True,
    responses={201: NewTotpResponse},
    problems={403: REAUTHENTICATION, 409: "totp_enabled", 429: "too_many_at_once"},
)
async def create_totp(request: Request) -> HTTPResponse:
    """Show a new secret, this once. It counts after `POST /profile/totp/confirm`."""
    new = await totp.create_totp(
        request.deps,
        request.caller,
        **optional_body(request, totp_request),
        seed=TotpSeed(secrets.token_bytes(SECRET_BYTES), secrets.token_bytes(NONCE_BYTES)),
        attempt_id=uuid.uuid4(),
        origin=request.origin,
    )
    return created("/profile/totp", new_totp_response.dump(new))


@blueprint.post("/profile/totp/confirm")
@operation(
    body=ConfirmTotpRequest,
    responses={200: RecoveryCodesResponse},
    problems={
        403: REAUTHENTICATION,
        404: "not_found",
        409: "totp_enabled",
        422: "bad_totp_code",
        429: "too_many_at_once",
    },
)
async def confirm_totp(request: Request) -> HTTPResponse:
    """Show ten recovery codes, this once. From now on a sign-in needs a code of the app, or one of these."""
    codes = await totp.confirm_totp(
        request.deps,
        request.caller,
        **body(request, confirm_totp_request),
        entropy=secrets.token_bytes(RECOVERY_CODES * RECOVERY_CODE_BYTES),
        attempt_id=uuid.uuid4(),
        origin=request.origin,
    )
    return ok(recovery_codes_response.dump({"recovery_codes": codes}))


@blueprint.delete("/profile/totp")
@operation(
    body=TotpRequest,
    is_body_optional=True,
    responses={204: None},
    problems={403: REAUTHENTICATION, 404: "not_found", 429: "too_many_at_once"},
)
async def delete_totp(request: Request) -> HTTPResponse:
    await totp.delete_totp(
        request.deps,
        request.caller,
        **optional_body(request, totp_request),
        attempt_id=uuid.uuid4(),
        origin=request.origin,
    )
    return no_content()
