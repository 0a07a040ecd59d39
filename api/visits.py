"""Requests and responses about visits, one or many, and about views of pages."""

import re
from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import Any

from marshmallow import Schema, ValidationError, fields

from api.bulk import BulkResponse, Verdict, Verdicts
from api.fields import Choice, DigitsOrInteger, RawItems, RowResponse, Strict, Text, Uuid, item_count
from api.limits import (
    FIRST_TIME,
    MAX_ADDRESS,
    MAX_AGENT,
    MAX_AHEAD,
    MAX_BATCH,
    MAX_PAGE_URL,
    MAX_REFERRER,
)
from api.times import DateTime

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
        # Of a long URL the search takes ten times as long as to see that all of it is printable.
        if not page_url.isprintable() and CONTROL.search(page_url):
            raise ValidationError("must not hold control characters")
        if not PAGE_URL.fullmatch(page_url):
            raise ValidationError("must be an http or https URL, or a path that begins with /")
        return page_url


class VisitTime(DateTime):
    """A time from 1970 on. `load_visit` refuses one that is too far ahead."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        time = super()._deserialize(value, *args, **kwargs)
        if time < FIRST_TIME:
            raise ValidationError("must not be before 1970")
        return time


class Address(Text):
    """An IPv4 or IPv6 address. Loads to its canonical form: `::ffff:192.0.2.1` is `192.0.2.1`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=MAX_ADDRESS, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            address = ip_address(text)
        except ValueError:
            raise ValidationError("must be an IPv4 or IPv6 address") from None
        if isinstance(address, IPv6Address):
            if address.scope_id is not None:
                raise ValidationError("must be an address without a zone")
            return str(address.ipv4_mapped or address)
        return str(address)


class RecordVisitRequest(Strict):
    """A visit that happened. Left out or null: now, the caller, an id of the server's.

    `address`, `agent` and `referrer` are the visitor's, when a shop's server reports them; else those of the
    request.
    """

    page_url = PageUrl(required=True)
    timestamp = VisitTime(load_default=None, allow_none=True)
    user_id = DigitsOrInteger(load_default=None, allow_none=True)
    id = Uuid(load_default=None, allow_none=True)
    address = Address(load_default=None, allow_none=True)
    agent = Text(maximum=MAX_AGENT, load_default=None, allow_none=True)
    referrer = Text(maximum=MAX_REFERRER, load_default=None, allow_none=True)


class RecordVisitsRequest(Strict):
    """Many visits; each is judged on its own."""

    visits = RawItems(fields.Nested(RecordVisitRequest), required=True, validate=item_count(1, MAX_BATCH))


class VisitPageRequest(Strict):
    """The page of GET /pages, from its path."""

    page_url = PageUrl(required=True)


class VisitResponse(RowResponse):
    """A visit. `user_id` is the visitor's number; of a log line, that of its pay line or null.

    What stands from `method` on is null where the source does not say it; `traffic` is `bot` if the agent is.
    """

    id = Uuid()
    user_id = fields.Integer(allow_none=True)
    page_url = fields.String()
    timestamp = DateTime()
    country = fields.String(allow_none=True)
    source = fields.String()
    kind = fields.String()
    category = fields.String(allow_none=True)
    product = fields.String(allow_none=True)
    method = fields.String(allow_none=True)
    status = fields.Integer(allow_none=True)
    bytes = fields.Integer(allow_none=True)
    referrer = fields.String(allow_none=True)
    browser = fields.String(allow_none=True)
    os = fields.String(allow_none=True)
    device = fields.String(allow_none=True)
    traffic = Choice("human", "bot")


class VisitVerdict(Verdict):
    """One of the visits that were not created: `errors` of an invalid one, `id` of the others."""


class RecordVisitsResponse(BulkResponse):
    """The counts add up to `received`; `results` lists all visits but those created."""

    results = Verdicts(VisitVerdict, id_name="id")


class PageViewResponse(Schema):
    """`visits`: live ones of exactly this page, with the one that is being answered."""

    page_url = fields.String()
    visits = fields.Integer()


visit_request = RecordVisitRequest()
DEFAULTS = {name: field.load_default for name, field in visit_request.fields.items() if not field.required}


def load_visit(item: Any, *, now: datetime) -> dict[str, Any]:
    """Load a visit as RecordVisitRequest does, but field by field, which takes a fourth of the time.

    :raises ValidationError: a field is unknown, missing or wrong, or the time is too far ahead of `now`
    """
    visit_fields = visit_request.fields
    if not isinstance(item, dict) or "page_url" not in item or not item.keys() <= visit_fields.keys():
        return _load_by_schema(item)
    try:
        visit = DEFAULTS | {name: visit_fields[name].deserialize(value) for name, value in item.items()}
    except ValidationError:
        return _load_by_schema(item)  # whose error names every wrong field
    if visit["timestamp"] is not None and visit["timestamp"] > now + MAX_AHEAD:
        raise ValidationError({"timestamp": ["must not be more than a day ahead"]})
    return visit


def _load_by_schema(item: Any) -> dict[str, Any]:
    visit: dict[str, Any] = visit_request.load(item)
    return visit
