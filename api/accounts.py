"""Requests and responses about accounts."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Email as LooksLikeEmail

from api.fields import OPTIONAL, Choice, Integer, JsonSchema, NullIsAbsent, RowResponse, Strict, Text
from api.limits import MAX_LOGIN, MAX_NAME, MAX_PASSWORD, MAX_TYPED_PASSWORD, MIN_LOGIN, MIN_PASSWORD
from api.paging import Cursor, PageQuery
from api.times import DateTime

NEEDED_UNLESS_FRESH = "needed unless the sign-in was less than 10 minutes ago"
NEEDED_FOR_CHANGES = f"for a new password or e-mail {NEEDED_UNLESS_FRESH}"


class Login(Text):
    """A login: printable text without blanks around it."""

    def __init__(self, *, minimum: int = MIN_LOGIN, **kwargs: Any) -> None:
        super().__init__(minimum=minimum, maximum=MAX_LOGIN, **kwargs)

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
        super().__init__(minimum=MIN_LOGIN, maximum=MAX_LOGIN, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return LooksLikeEmail(error="must be an e-mail address")(super()._deserialize(value))


class Password(Text):
    @property
    def json_schema(self) -> JsonSchema:
        return {**super().json_schema, "format": "password"}


class NewPassword(Password):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=MIN_PASSWORD, maximum=MAX_PASSWORD, **kwargs)


class TypedPassword(Password):
    """A password to be checked: a longer one than can be set is wrong, not invalid."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(maximum=MAX_TYPED_PASSWORD, **kwargs)


class CreateUserRequest(Strict):
    login = Login(required=True)
    password = NewPassword(required=True)
    first_name = Text(minimum=1, maximum=MAX_NAME, required=True)
    last_name = Text(minimum=1, maximum=MAX_NAME, required=True)


class CreateAdminRequest(Strict):
    """An admin, as the command line and the settings create one."""

    login = Login(required=True)
    password = NewPassword(required=True)


class SetPasswordRequest(Strict):
    """A new password, as the command line sets one."""

    password = NewPassword(required=True)


class Named(Strict):
    """`first_name` and `last_name`, or both in `name`, of which the first word is the first name."""

    first_name = Text(maximum=MAX_NAME)
    last_name = Text(maximum=MAX_NAME)
    name = Text(maximum=2 * MAX_NAME)

    @validates_schema
    def check_one_form(self, data: Mapping[str, Any], **_: Any) -> None:
        if "name" in data and ("first_name" in data or "last_name" in data):
            raise ValidationError("can't be combined with first_name or last_name", "name")

    @post_load
    def split_name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "name" in data:
            first, _, last = data.pop("name").strip().partition(" ")
            if max(len(first), len(last)) > MAX_NAME:
                raise ValidationError(f"must have words of up to {MAX_NAME} characters", "name")
            data |= {"first_name": first, "last_name": last.strip()}
        return data


class RegisterRequest(NullIsAbsent, Named):
    """One of `login`, `username` and `email` is needed; an e-mail given alone is the login too."""

    example: ClassVar[dict[str, Any]] = {"login": "anna", "password": "correct horse battery"}

    login = Login(allow_none=True)
    username = Login(allow_none=True)
    email = Email(allow_none=True)
    password = NewPassword(required=True)
    first_name = Text(maximum=MAX_NAME, allow_none=True)
    last_name = Text(maximum=MAX_NAME, allow_none=True)
    name = Text(maximum=2 * MAX_NAME, allow_none=True)

    @post_load
    def choose_login(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        login = find_login(data, "login", "username") or data.get("email")
        if login is None:
            raise ValidationError("one of login, username and email is needed", "login")
        data.pop("username", None)
        return {**data, "login": login}


def find_login(data: Mapping[str, Any], *names: str) -> str | None:
    """Find the login that a client may send under any of these names; None if it has sent none.

    :raises ValidationError: two of the names have different values
    """
    logins = {name: data[name] for name in names if name in data}
    if len(set(logins.values())) > 1:
        raise ValidationError(f"is not the {next(iter(logins))}", list(logins)[-1])
    return next(iter(logins.values()), None)


class UpdateProfileRequest(Named):
    example: ClassVar[dict[str, Any]] = {"first_name": "Anna", "email": "anna@example.com"}

    email = Email(allow_none=True)
    password = NewPassword()
    current_password = TypedPassword(metadata={"description": NEEDED_FOR_CHANGES})


class DeleteAccountRequest(NullIsAbsent):
    current_password = TypedPassword(
        load_default=None, allow_none=True, metadata={"description": NEEDED_UNLESS_FRESH}
    )


class UpdateUserRequest(Strict):
    first_name = Text(maximum=MAX_NAME)
    last_name = Text(maximum=MAX_NAME)


class ListUsersRequest(PageQuery):
    after = Cursor(Integer(minimum=1))


class UserResponse(RowResponse):
    """A user. E-mails are for itself and admins: `viewer_id` sees its own, None sees all.

    Others see of a login that is an e-mail the part before the `@`.
    """

    id = fields.Integer()
    login = fields.String()
    email = fields.String(allow_none=True, metadata=OPTIONAL)
    first_name = fields.String()
    last_name = fields.String()
    role = Choice("user", "admin")
    created_at = DateTime()

    def __init__(self, *, viewer_id: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.viewer_id = viewer_id

    def seen_by(self, viewer_id: int | None) -> "UserResponse":
        """Return this schema for a viewer, at less than the cost of making one."""
        schema = copy(self)
        schema.viewer_id = viewer_id
        return schema

    def dump_rows(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        dumped = super().dump_rows(rows)
        for data in dumped:
            if self.viewer_id not in (None, data["id"]):
                del data["email"]
                data["login"] = data["login"].rpartition("@")[0] or data["login"]
        return dumped
