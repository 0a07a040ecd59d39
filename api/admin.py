"""Requests and responses of admins: accounts, what they do, and the audit."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from api.accounts import UserResponse
from api.fields import Choice, Flag, Integer, IntegerText, RawCells, Strict, Text
from api.limits import MAX_EVENT_TYPE, MAX_LOGIN, MAX_PAGE_SIZE, PAGE_SIZE
from api.paging import Cursor, PageQuery
from api.times import DatedFilters, DateTime, FilterTime, TimeZone

ROLES = ("user", "admin")
AUTH_EVENTS = (
    "register",
    "login",
    "login_failed",
    "logout",
    "refresh_reused",
    "password_changed",
    "password_reset_created",
    "password_reset_mailed",
    "totp_enabled",
    "totp_disabled",
    "totp_recovery_used",
    "role_changed",
    "activated",
    "deactivated",
    "deleted",
    "key_created",
    "key_ended",
    "session_ended",
    "import_uploaded",
    "import_cancelled",
    "import_undone",
    "share_created",
    "share_ended",
    "site_created",
    "site_deleted",
)


class ListUserOverviewsRequest(PageQuery):
    after = Cursor(Integer(minimum=1))
    q = Text(minimum=1, maximum=MAX_LOGIN)
    role = Choice(*ROLES)


class UpdateUserRightsRequest(Strict):
    role = Choice(*ROLES)
    active = Flag()


USAGE = ("last_login", "live_sessions", "visits", "events", "tasks", "favourites")


class UserOverviewResponse(UserResponse):
    """A user with what it has and has done."""

    active = fields.Boolean()
    last_login = DateTime(allow_none=True)
    live_sessions = fields.Integer()
    visits = fields.Integer()
    events = fields.Integer()
    tasks = fields.Integer()
    favourites = fields.Integer()

    def path_of(self, attribute: str) -> str:
        """Return where an account or its usage is read, as if the two were one."""
        return f"usage.{attribute}" if attribute in USAGE else f"account.{attribute}"


class ListActivityRequest(PageQuery):
    after = Cursor(DateTime(), Text(maximum=MAX_EVENT_TYPE))


class ActivityResponse(Schema):
    """One thing that a user did.

    `detail`: an auth event's address, a visit's page, a task's title, a film's id or an event's type.
    """

    at = DateTime()
    type = fields.String()
    detail = fields.String(allow_none=True)


class ListAuthEventsRequest(DatedFilters, PageQuery):
    """Filters of the audit. Without a `limit`, CSV has all events, and JSON a page of the usual size."""

    limit = IntegerText(
        minimum=1,
        maximum=MAX_PAGE_SIZE,
        load_default=None,
        metadata={"description": f"{PAGE_SIZE} unless said; CSV has all unless said"},
    )
    format = Choice("json", "csv", load_default=None)
    raw = RawCells()
    after = Cursor(DateTime(), Integer(minimum=1))
    kind = Choice(*AUTH_EVENTS, data_key="type")
    login = Text(minimum=1, maximum=MAX_LOGIN)
    actor = Text(minimum=1, maximum=MAX_LOGIN, metadata={"description": "the login of who did it"})
    since = FilterTime(data_key="from")
    until = FilterTime(data_key="to")
    tz = TimeZone(load_default="UTC")

    @validates_schema
    def check_order(self, data: Mapping[str, Any], **_: Any) -> None:
        if "since" in data and "until" in data and data["since"] > data["until"]:
            raise ValidationError("is before from", "to")


class AuthEventResponse(Schema):
    id = fields.Integer()
    at = DateTime(data_key="time")
    type = fields.String()
    user_id = fields.Integer(attribute="account_id", allow_none=True)
    login = fields.String(allow_none=True)
    actor = fields.String(
        allow_none=True, metadata={"description": "the login of who did it; null: nobody known"}
    )
    address = fields.String(allow_none=True)
    agent = fields.String(allow_none=True)
