"""Requests and responses about sessions and API keys."""

import uuid
from typing import Any

from marshmallow import Schema, fields

from api.accounts import NEEDED_UNLESS_FRESH, TypedPassword
from api.fields import Choice, Flag, NullIsAbsent, Strict, Text, Uuid, item_count
from api.limits import MAX_NAME
from api.paging import Cursor, PageQuery
from api.times import DateTime

SCOPES = (
    "events:read",
    "events:write",
    "imports:read",
    "imports:write",
    "live:read",
    "movies:read",
    "movies:write",
    "profile:read",
    "reports:read",
    "tasks:read",
    "tasks:write",
    "visits:read",
    "visits:write",
)


class SignOutRequest(Strict):
    all = Flag(load_default=False)


class ListSessionsRequest(PageQuery):
    after = Cursor(DateTime(), Uuid())


class SessionResponse(Schema):
    """What began with a sign-in, with all its tokens. `current` marks the one that asks."""

    id = Uuid()
    created_at = DateTime()
    last_used_at = DateTime()
    expires_at = DateTime()
    address = fields.String(allow_none=True)
    agent = fields.String(allow_none=True)
    current = fields.Method("is_current", metadata={"type": "boolean"})

    def __init__(self, *, current_id: uuid.UUID | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.current_id = current_id

    def is_current(self, session: Any) -> bool:
        current: bool = session.id == self.current_id
        return current


class CreateKeyRequest(NullIsAbsent):
    name = Text(minimum=1, maximum=MAX_NAME, required=True)
    scopes = fields.List(Choice(*SCOPES), required=True, validate=item_count(1, len(SCOPES)))
    expires_at = DateTime(load_default=None, allow_none=True)
    current_password = TypedPassword(
        load_default=None, allow_none=True, metadata={"description": NEEDED_UNLESS_FRESH}
    )


class ListKeysRequest(PageQuery):
    after = Cursor(DateTime(), Uuid())


class KeyResponse(Schema):
    """An API key, without the key itself."""

    id = Uuid()
    name = fields.String()
    scopes = fields.List(Choice(*SCOPES))
    created_at = DateTime()
    expires_at = DateTime(allow_none=True)
    last_used_at = DateTime(allow_none=True)


class NewKeyResponse(KeyResponse):
    """The one answer that holds the key."""

    key = fields.Method("show_key", metadata={"type": "string"})

    def __init__(self, *, key: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.key_shown_once = key

    def show_key(self, _: Any) -> str:
        return self.key_shown_once
