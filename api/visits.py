"""What is said about visits: one or many that come in, and how often pages are viewed."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length

from api.fields import DateTime, Integer, RowResponse, Strict, Text, Uuid

MAX_VISITS = 10_000
MAX_PAGE_URL = 2048  # characters
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)
PAGE_URL = re.compile(r"(?:https?://[^\s/?#]+(?:[/?#].*)?|/.*)", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class PageUrl(Text):
    """An http or https URL, or a path from its first slash on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=MAX_PAGE_URL, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        page_url = super()._deserialize(value, attr, data, **kwargs)
        if CONTROL.search(page_url):
            raise ValidationError("must not hold control characters")
        if not PAGE_URL.fullmatch(page_url):
            raise ValidationError("must be an http or https URL, or a path that begins with /")
        return page_url


class VisitTime(DateTime):
    """A time from 1970 on. `read_visit` holds it to a day ahead at most."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        time = super()._deserialize(value, *args, **kwargs)
        if time < EARLIEST:
            raise ValidationError("must not be before 1970")
        return time


class RecordVisitRequest(Strict):
    """A visit that happened. Left out or null: now, the caller, an id of the server's."""

    page_url = PageUrl(required=True)
    timestamp = VisitTime(load_default=None, allow_none=True)
    user_id = Integer(load_default=None, allow_none=True)
    id = Uuid(load_default=None, allow_none=True)


class RecordVisitsRequest(Strict):
    """Many visits; each is judged on its own."""

    visits = fields.List(fields.Nested(RecordVisitRequest), required=True, validate=Length(1, MAX_VISITS))


class VisitItems(Strict):
    """The same, with the visits as they are, so that each gets a verdict of its own."""

    visits = fields.List(fields.Raw(allow_none=True), required=True, validate=Length(1, MAX_VISITS))


class VisitPageRequest(Strict):
    """The page of GET /pages, from its path."""

    page_url = PageUrl(required=True)


class VisitResponse(RowResponse):
    """A visit. `user_id` is the visitor's number; of a log line, that of its pay line or null."""

    id = Uuid()
    user_id = fields.Integer(allow_none=True)
    page_url = fields.String()
    timestamp = DateTime()
    country = fields.String(allow_none=True)
    source = fields.String()
    kind = fields.String()
    category = fields.String(allow_none=True)
    product = fields.String(allow_none=True)


class ItemError(Schema):
    pointer = fields.String()
    detail = fields.String()


class VisitVerdict(Schema):
    """One of the visits that were not created: `errors` of an invalid one, `id` of the others."""

    index = fields.Integer(metadata={"description": "place in the list, from 0"})
    id = Uuid(metadata={"x-optional": True})
    status = fields.String(metadata={"enum": ["duplicate", "conflict", "invalid"]})
    errors = fields.List(fields.Nested(ItemError), metadata={"x-optional": True})


class Verdicts(fields.List[Any]):
    """Verdicts, of which there may be thousands: they come as VisitVerdict would dump them."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return value


class RecordVisitsResponse(Schema):
    """The counts add up to `received`; `results` lists all visits but those created."""

    received = fields.Integer()
    created = fields.Integer()
    duplicates = fields.Integer()
    conflicts = fields.Integer()
    invalid = fields.Integer()
    results = Verdicts(fields.Nested(VisitVerdict))


class PageViewResponse(Schema):
    """`visits`: live ones of exactly this page, with the one that is being answered."""

    page_url = fields.String()
    visits = fields.Integer()


ONE, ITEMS = RecordVisitRequest(), VisitItems()
NOTHING = {name: field.load_default for name, field in ONE.fields.items() if not field.required}


def read_visit(item: Any, *, now: datetime) -> dict[str, Any]:
    """A visit as RecordVisitRequest loads it, by its fields alone: that takes a fourth of the time.

    :raises ValidationError: a field is unknown, missing or wrong
    """
    if not isinstance(item, dict) or "page_url" not in item or not item.keys() <= ONE.fields.keys():
        return load(item)
    try:
        loaded = NOTHING | {name: ONE.fields[name].deserialize(value) for name, value in item.items()}
    except ValidationError:
        return load(item)  # tells what is wrong with each field
    if loaded["timestamp"] is not None and loaded["timestamp"] > now + LATEST_AHEAD:
        raise ValidationError({"timestamp": ["must not be more than a day ahead"]})
    return loaded


def load(item: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = ONE.load(item)
    return loaded


def read_visits(body: Any, *, now: datetime) -> list[dict[str, Any] | ValidationError]:
    """Each visit of a bulk body, or what is wrong with it.

    :raises ValidationError: the body is no list of 1 to MAX_VISITS visits
    """
    items: Sequence[Any] = ITEMS.load(body)["visits"]
    read: list[dict[str, Any] | ValidationError] = []
    for item in items:
        try:
            read.append(read_visit(item, now=now))
        except ValidationError as error:
            read.append(error)
    return read
