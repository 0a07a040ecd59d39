"""Requests and responses about forgotten passwords."""

from marshmallow import Schema, fields

from api.accounts import Login, NewPassword
from api.fields import Strict, Text
from api.limits import MAX_RESET_TOKEN
from api.times import DateTime


class ForgotPasswordRequest(Strict):
    """`login` may be the e-mail too."""

    login = Login(minimum=1, required=True)


class ResetPasswordRequest(Strict):
    token = Text(minimum=1, maximum=MAX_RESET_TOKEN, required=True)
    password = NewPassword(required=True)


class PasswordResetResponse(Schema):
    """The one answer that holds the token."""

    token = fields.String()
    expires_at = DateTime()
