"""What is said about visits: one or many that come in, lists, and how often pages are viewed."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_dump, validates_schema
from marshmallow.validate import Length

from api.fields import Choice, DateTime, Integer, IntegerText, Strict, Text, Uuid
from api.paging import Cursor, PageQuery
from api.reports import TimeZone

MAX_VISITS = 10_000
MAX_PAGE_URL = 2048  # characters
MAX_CATEGORY = 2048
MAX_KEY = 64
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)
PAGE_URL = re.compile(r"(?:https?://[^\s/?#]+(?:[/?#].*)?|/.*)", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
GROUPS = ("page", "user", "country", "category", "hour", "day", "week", "month")
MAX_GROUPS = 2
ASKED_FOR = {"x-optional": True}
COUNTRY = re.compile(r"[A-Za-z]{2}")


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


class CountryCode(Text):
    """An ISO 3166 code of two letters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=2, maximum=2, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        code = super()._deserialize(value, attr, data, **kwargs)
        if not COUNTRY.fullmatch(code):
            raise ValidationError("must be a country code of two letters")
        return code.upper()


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


class VisitResponse(Schema):
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


class RecordVisitsResponse(Schema):
    """The counts add up to `received`; `results` lists all visits but those created."""

    received = fields.Integer()
    created = fields.Integer()
    duplicates = fields.Integer()
    conflicts = fields.Integer()
    invalid = fields.Integer()
    results = fields.List(fields.Nested(VisitVerdict))


class PageViewResponse(Schema):
    """`visits`: live ones of exactly this page, with the one that is being answered."""

    page_url = fields.String()
    visits = fields.Integer()


class VisitFilter(Strict):
    """Which visits are asked for: of [from, to), and with these values."""

    since = DateTime(data_key="from", load_default=None)
    until = DateTime(data_key="to", load_default=None)
    user_id = IntegerText(load_default=None)
    page_url = Text(minimum=1, maximum=MAX_PAGE_URL, load_default=None)
    source = Choice("log", "api", "page", load_default=None)
    country = CountryCode(load_default=None)
    category = Text(minimum=1, maximum=MAX_CATEGORY, load_default=None)

    @validates_schema
    def check_period(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["since"] and data["until"] and data["since"] > data["until"]:
            raise ValidationError("is before from", "to")


class ListVisitsRequest(VisitFilter, PageQuery):
    after = Cursor(DateTime(), Text(minimum=1, maximum=MAX_KEY))


class ExportVisitsRequest(VisitFilter):
    format = Choice("ndjson", "csv", load_default="ndjson")


class GroupBy(Text):
    """Up to two names of groups, with a comma between them."""

    def __init__(self, *names: str, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=100, **kwargs)
        self.names = names

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        groups = tuple(super()._deserialize(value, *args, **kwargs).split(","))
        if len(groups) > MAX_GROUPS or len(set(groups)) < len(groups) or not set(groups) <= set(self.names):
            raise ValidationError(f"must be one or two different ones of: {', '.join(self.names)}")
        return groups


class CountVisitsRequest(VisitFilter, PageQuery):
    """Without `group_by` all visits are one group."""

    group_by = GroupBy(*GROUPS, load_default=None)
    tz = TimeZone(load_default="UTC")
    after = Cursor(Integer(minimum=1))


class VisitCountResponse(Schema):
    """Visits of one group. Of the group fields there are those asked for; times are begins, in UTC."""

    page_url = fields.String(allow_none=True, metadata=ASKED_FOR)
    user_id = fields.Integer(allow_none=True, metadata=ASKED_FOR)
    country = fields.String(allow_none=True, metadata=ASKED_FOR)
    category = fields.String(allow_none=True, metadata=ASKED_FOR)
    hour = DateTime(metadata=ASKED_FOR)
    day = DateTime(metadata=ASKED_FOR)
    week = DateTime(metadata=ASKED_FOR)
    month = DateTime(metadata=ASKED_FOR)
    visits = fields.Integer()
    visitors = fields.Integer()
    first = DateTime()
    last = DateTime()

    @pre_dump
    def flatten(self, count: Any, **_: Any) -> dict[str, Any]:
        counts = {name: getattr(count, name) for name in ("visits", "visitors", "first", "last")}
        return {**count.group, **counts}


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
