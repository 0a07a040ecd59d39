"""What is said about accounts, coming in and going out."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_dump, post_load, validates_schema
from marshmallow.validate import Email as LooksLikeEmail

from api.fields import Choice, DateTime, Integer, JsonSchema, Strict, Text
from api.paging import Cursor, PageQuery

NAME_LENGTH = 100  # characters of a first or last name


class Login(Text):
    """A login: what can be read and typed, without blanks around it."""

    def __init__(self, *, minimum: int = 3, **kwargs: Any) -> None:
        super().__init__(minimum=minimum, maximum=254, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = super()._deserialize(value)
        if text != text.strip() or not text.isprintable():
            raise ValidationError("must not hold control characters, or begin or end with a blank")
        return text


class Email(Text):
    """An e-mail address."""

    @property
    def json_schema(self) -> JsonSchema:
        return {**super().json_schema, "format": "email"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=3, maximum=254, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return LooksLikeEmail(error="must be an e-mail address")(super()._deserialize(value))


class Password(Text):
    @property
    def json_schema(self) -> JsonSchema:
        return {**super().json_schema, "format": "password"}


class NewPassword(Password):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=8, maximum=128, **kwargs)


class GivenPassword(Password):
    """A password to be checked; longer ones than can be set are wrong, not invalid."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(maximum=1024, **kwargs)


class CreateUserRequest(Strict):
    login = Login(required=True)
    password = NewPassword(required=True)
    first_name = Text(minimum=1, maximum=NAME_LENGTH, required=True)
    last_name = Text(minimum=1, maximum=NAME_LENGTH, required=True)


class CreateAdminRequest(Strict):
    """What the command line and the settings say of an admin."""

    login = Login(required=True)
    password = NewPassword(required=True)


class Named(Strict):
    """`first_name` and `last_name`, or both in `name`, of which the first word is the first name."""

    first_name = Text(maximum=NAME_LENGTH)
    last_name = Text(maximum=NAME_LENGTH)
    name = Text(maximum=2 * NAME_LENGTH)

    @validates_schema
    def check_one_spelling(self, data: Mapping[str, Any], **_: Any) -> None:
        if "name" in data and ("first_name" in data or "last_name" in data):
            raise ValidationError("can't be combined with first_name or last_name", "name")

    @post_load
    def split_name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "name" in data:
            first, _, last = data.pop("name").strip().partition(" ")
            if max(len(first), len(last)) > NAME_LENGTH:
                raise ValidationError(f"must have words of up to {NAME_LENGTH} characters", "name")
            data |= {"first_name": first, "last_name": last.strip()}
        return data


class RegisterRequest(Named):
    """One of `login`, `username` and `email` is needed; an e-mail given alone is the login too."""

    example: ClassVar[dict[str, Any]] = {"login": "anna", "password": "correct horse battery"}

    login = Login()
    username = Login()
    email = Email()
    password = NewPassword(required=True)

    @post_load
    def choose_login(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        login = one_login(data, "login", "username") or data.get("email")
        if login is None:
            raise ValidationError("one of login, username and email is needed", "login")
        data.pop("username", None)
        return {**data, "login": login}


class SignInRequest(Strict):
    """One of `login`, `username` and `email` is needed. Loads to `login` and `password`."""

    example: ClassVar[dict[str, Any]] = {"login": "anna", "password": "correct horse battery"}

    login = Login(minimum=1)
    username = Login(minimum=1)
    email = Text(minimum=1, maximum=254)
    password = GivenPassword(required=True)

    @post_load
    def choose_login(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        login = one_login(data, "login", "username", "email")
        if login is None:
            raise ValidationError("one of login, username and email is needed", "login")
        return {"login": login, "password": data["password"]}


def one_login(data: Mapping[str, Any], *spellings: str) -> str | None:
    """What a client signs up or in with, whatever it calls it.

    :raises ValidationError: it calls two different things so
    """
    given = {name: data[name] for name in spellings if name in data}
    if len(set(given.values())) > 1:
        raise ValidationError(f"is not the {next(iter(given))}", list(given)[-1])
    return next(iter(given.values()), None)


class UpdateProfileRequest(Named):
    example: ClassVar[dict[str, Any]] = {"first_name": "Anna", "email": "anna@example.com"}

    email = Email(allow_none=True)
    password = NewPassword()
    current_password = GivenPassword()

    @validates_schema
    def check_both_passwords(self, data: Mapping[str, Any], **_: Any) -> None:
        if "password" in data and "current_password" not in data:
            raise ValidationError("is needed for a new password", "current_password")
        if "current_password" in data and "password" not in data:
            raise ValidationError("is missing: current_password is for a new one", "password")


class UpdateUserRequest(Strict):
    first_name = Text(maximum=NAME_LENGTH)
    last_name = Text(maximum=NAME_LENGTH)


class ListUsersRequest(PageQuery):
    after = Cursor(Integer(minimum=1))


class UserResponse(Schema):
    """A user. The e-mail is for itself and admins: `viewer_id` sees its own, None sees all."""

    id = fields.Integer()
    login = fields.String()
    email = fields.String(allow_none=True, metadata={"x-optional": True})
    first_name = fields.String()
    last_name = fields.String()
    role = Choice("user", "admin")
    created_at = DateTime()

    def __init__(self, *, viewer_id: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.viewer_id = viewer_id

    @post_dump
    def hide_email(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if self.viewer_id not in (None, data["id"]):
            del data["email"]
        return data


class AccessTokenResponse(Schema):
    access_token = fields.String()
    token_type = Choice("Bearer", dump_default="Bearer")
    expires_in = fields.Integer(metadata={"description": "seconds"})
