"""Requests and responses about tokens: signing in, and the grants of OAuth 2 (RFC 6749)."""

from typing import Any, ClassVar

from marshmallow import INCLUDE, Schema, ValidationError, fields, post_load

from api.accounts import Login, TypedPassword
from api.fields import Choice, NullIsAbsent, Strict, Text
from api.limits import MAX_CODE, MAX_LOGIN, MAX_REFRESH_TOKEN

NAMES = ("login", "username", "email")
CODES = ("totp", "recovery_code")
NEEDED_WITH_TOTP = "of an account with a second factor: a code of its app, or a recovery code"
GRANTS = ("password", "refresh_token")


class SignInRequest(NullIsAbsent):
    """A password with one of `login`, `username` and `email`; several must be of one account.

    With `grant_type` `refresh_token`, a refresh token instead.
    """

    example: ClassVar[dict[str, Any]] = {"login": "anna", "password": "correct horse battery"}

    grant_type = Choice(*GRANTS, load_default="password", allow_none=True)
    login = Login(minimum=1, allow_none=True)
    username = Login(minimum=1, allow_none=True)
    email = Text(minimum=1, maximum=MAX_LOGIN, allow_none=True)
    password = TypedPassword(allow_none=True)
    totp = Text(
        minimum=1,
        maximum=MAX_CODE,
        allow_none=True,
        metadata={"description": NEEDED_WITH_TOTP, "example": "492039"},
    )
    recovery_code = Text(
        minimum=1,
        maximum=MAX_CODE,
        allow_none=True,
        metadata={"description": "instead of `totp`, once", "example": "abcd-efgh-ijkl-mnop"},
    )
    refresh_token = Text(minimum=1, maximum=MAX_REFRESH_TOKEN, allow_none=True)

    @post_load
    def choose_grant(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Load to `grant_type`, and `refresh_token` or `names`, `password` and `code`, which may be None."""
        if data["grant_type"] == "refresh_token":
            require(data, "refresh_token")
            return {"grant_type": "refresh_token", "refresh_token": data["refresh_token"]}
        names = tuple(dict.fromkeys(data[name] for name in NAMES if name in data))
        if not names:
            raise ValidationError("one of login, username and email is needed", "login")
        require(data, "password")
        codes = [data[name] for name in CODES if name in data]
        if len(codes) > 1:
            raise ValidationError("can't be combined with totp", "recovery_code")
        proof = {"password": data["password"], "code": codes[0] if codes else None}
        return {"grant_type": "password", "names": names, **proof}


def require(data: dict[str, Any], name: str) -> None:
    if name not in data:
        raise ValidationError("is needed", name)


class SignInForm(SignInRequest):
    """The same as a form. OAuth 2 has it that unknown fields are ignored, and so are empty ones."""

    example: ClassVar[dict[str, Any]] = {"grant_type": "password", **SignInRequest.example}

    class Meta:
        unknown = INCLUDE  # the document then says that others are taken; `choose_grant` leaves them out


class RefreshRequest(Strict):
    refresh_token = Text(minimum=1, maximum=MAX_REFRESH_TOKEN, required=True)


class TokenPairResponse(Schema):
    """The refresh token gets the next pair, once, at `POST /token/refresh`."""

    access_token = fields.String()
    token_type = Choice("Bearer", dump_default="Bearer")
    expires_in = fields.Integer(metadata={"description": "seconds"})
    refresh_token = fields.String()
    refresh_expires_in = fields.Integer(metadata={"description": "seconds", "example": 1_209_600})
