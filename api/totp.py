"""Requests and responses about the second factor."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load

from api.accounts import NEEDED_UNLESS_FRESH, TypedPassword, find_login
from api.fields import NullIsAbsent, Text
from api.limits import MAX_CODE


class TotpRequest(NullIsAbsent):
    current_password = TypedPassword(
        load_default=None, allow_none=True, metadata={"description": NEEDED_UNLESS_FRESH}
    )


class ConfirmTotpRequest(TotpRequest):
    """The present code of the app, as `code` or `totp`."""

    example: ClassVar[dict[str, Any]] = {"code": "492039"}

    code = Text(minimum=1, maximum=MAX_CODE, allow_none=True, metadata={"example": "492039"})
    totp = Text(minimum=1, maximum=MAX_CODE, allow_none=True, metadata={"description": "the same as `code`"})

    @post_load
    def choose_code(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        code = find_login(data, "code", "totp")
        if code is None:
            raise ValidationError("is needed", "code")
        return {"current_password": data["current_password"], "code": code}


class TotpStateResponse(Schema):
    """Whether a sign-in needs a code, and how many recovery codes are left."""

    enabled = fields.Boolean()
    recovery_codes_left = fields.Integer(metadata={"example": 10})


class NewTotpResponse(Schema):
    """The one answer that holds the secret. Apps read the URI as a QR code, whose rows are in `qr`."""

    secret = fields.String(metadata={"example": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"})
    uri = fields.String(
        metadata={"example": "otpauth://totp/Trawl:anna?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Trawl"}
    )
    qr = fields.List(
        fields.String(),
        metadata={
            "description": "the rows of the URI's QR code, a character a module: 1 is dark, 0 light",
            "example": ["111111101010", "100000101101"],
        },
    )


class RecoveryCodesResponse(Schema):
    """The one answer that holds the recovery codes. Each stands for a code of the app, once."""

    recovery_codes = fields.List(fields.String(), metadata={"example": ["abcd-efgh-ijkl-mnop"]})
