"""Cursors of lists: opaque, url-safe, and checked as strictly as any other input."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from api.fields import IntegerText, JsonSchema, Strict
from api.limits import MAX_CURSOR, MAX_OFFSET, MAX_PAGE_SIZE, PAGE_SIZE
from api.times import rfc3339


class Cursor(fields.Field[tuple[Any, ...]]):
    """The sort key of the last item of a page. `parts` are the fields that load its values, in order."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "string",
        "description": "`next` of the page before; not with `offset`",
    }

    def __init__(self, *parts: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(data_key="cursor", attribute="after", load_default=None, **kwargs)
        self.parts = parts

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Any, ...]:
        values = decode_cursor(value)
        if len(values) != len(self.parts):
            raise ValidationError("is not a cursor of this list")
        try:
            return tuple(part.deserialize(item) for part, item in zip(self.parts, values, strict=True))
        except ValidationError:
            raise ValidationError("is not a cursor of this list") from None


class PageQuery(Strict):
    """`limit`, `offset` and `cursor`; subclasses define `after = Cursor(...)` with parts of their sort key.

    Loads to `limit`, `offset` and `after`, the decoded cursor or None.
    """

    limit = IntegerText(minimum=1, maximum=MAX_PAGE_SIZE, load_default=PAGE_SIZE)
    offset = IntegerText(minimum=0, maximum=MAX_OFFSET, load_default=0)
    after = Cursor()

    @validates_schema
    def check_cursor_or_offset(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["after"] is not None and data["offset"]:
            raise ValidationError("can't be combined with a cursor", "offset")


def encode_cursor(key: Sequence[int | str | datetime | None]) -> str:
    """Encode the sort key of a row, as the list's Cursor field loads it again."""
    values = [rfc3339(part) if isinstance(part, datetime) else part for part in key]
    raw = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(cursor: str) -> list[Any]:
    """Decode the sort key of `encode_cursor`, its times as text.

    :raises ValidationError: the text is not a cursor
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw[:MAX_CURSOR])
    except (ValueError, RecursionError):  # binascii's and json's errors are ValueErrors
        values = None
    if not isinstance(values, list):
        raise ValidationError("is not a cursor of this list")
    return values
