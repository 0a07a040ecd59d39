"""Lists, exports and counts of visits: their filters and their rows."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validates_schema

from api.compared import ComparedPeriod
from api.fields import (
    OPTIONAL,
    Choice,
    GroupResponse,
    Integer,
    IntegerText,
    JsonSchema,
    RawCells,
    Text,
    Uuid,
    choices_schema,
)
from api.limits import (
    MAX_AGENT_TRAIT,
    MAX_CATEGORY,
    MAX_GROUPS,
    MAX_NORMAL_URL,
    MAX_REFERRER,
    MAX_STATUS,
    MIN_STATUS,
)
from api.paging import Cursor, PageQuery
from api.times import DatedFilters, DateTime, FilterTime, TimeFilters, TimeZone

GROUPS = (
    "page",
    "user",
    "country",
    "category",
    "referrer",
    "browser",
    "os",
    "device",
    "status",
    "kind",
    "hour",
    "day",
    "week",
    "month",
)
TRAFFIC = ("human", "bot", "all")
KINDS = ("main", "category", "product", "cart", "pay", "success", "asset", "other")
COUNTRY = re.compile(r"[A-Za-z]{2}")


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


class VisitFilter(TimeFilters):
    """Filters of visits: those in [from, to) that have all values of the query.

    `referrer` is a host, or with a slash in it the whole URL.
    """

    since = FilterTime(data_key="from", load_default=None)
    until = FilterTime(data_key="to", load_default=None)
    tz = TimeZone(load_default="UTC")
    user_id = IntegerText(load_default=None)
    page_url = Text(minimum=1, maximum=MAX_NORMAL_URL, load_default=None)
    source = Choice("log", "api", "page", "site", load_default=None)
    country = CountryCode(load_default=None)
    category = Text(minimum=1, maximum=MAX_CATEGORY, load_default=None)
    kind = Choice(*KINDS, load_default=None)
    traffic = Choice(*TRAFFIC, load_default="all")
    referrer = Text(minimum=1, maximum=MAX_REFERRER, load_default=None)
    browser = Text(minimum=1, maximum=MAX_AGENT_TRAIT, load_default=None)
    os = Text(minimum=1, maximum=MAX_AGENT_TRAIT, load_default=None)
    device = Text(minimum=1, maximum=MAX_AGENT_TRAIT, load_default=None)
    status = IntegerText(minimum=MIN_STATUS, maximum=MAX_STATUS, load_default=None)

    @validates_schema
    def check_period(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["since"] and data["until"] and data["since"] > data["until"]:
            raise ValidationError("is before from", "to")


class ListVisitsRequest(DatedFilters, VisitFilter, PageQuery):
    after = Cursor(DateTime(), Uuid())


class ExportVisitsRequest(DatedFilters, VisitFilter):
    format = Choice("ndjson", "csv", load_default="ndjson")
    raw = RawCells()


class GroupBy(Text):
    """One or two different names of groups, with a comma between them. Loads to a tuple."""

    def __init__(self, *names: str, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=100, **kwargs)
        self.names = names

    @property
    def json_schema(self) -> JsonSchema:
        return choices_schema(self.names, MAX_GROUPS)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = ",".join(value) if isinstance(value, list) else value
        groups = tuple(super()._deserialize(text, *args, **kwargs).split(","))
        if len(groups) > MAX_GROUPS or len(set(groups)) < len(groups) or not set(groups) <= set(self.names):
            raise ValidationError(f"must be one or two different ones of: {', '.join(self.names)}")
        return groups


class CountVisitsRequest(ComparedPeriod, VisitFilter, PageQuery):
    """Without `group_by` all visits are one group. Bots do not count unless `traffic` says so."""

    repeatable: ClassVar[frozenset[str]] = frozenset({"group_by"})

    traffic = Choice(*TRAFFIC, load_default="human")
    group_by = GroupBy(*GROUPS, load_default=None)
    after = Cursor(Integer(minimum=1))


class PreviousCountResponse(Schema):
    """What the same group had in the equally long period before."""

    visits = fields.Integer()
    visitors = fields.Integer()


class VisitCountResponse(GroupResponse):
    """Visits of one group. Of the group fields there are those asked for; times are begins, in UTC.

    `first` and `last` are null if there are no visits at all. `previous` is there if it was asked for.
    """

    page_url = fields.String(allow_none=True, metadata=OPTIONAL)
    user_id = fields.Integer(allow_none=True, metadata=OPTIONAL)
    country = fields.String(allow_none=True, metadata=OPTIONAL)
    category = fields.String(allow_none=True, metadata=OPTIONAL)
    referrer = fields.String(allow_none=True, metadata=OPTIONAL)
    browser = fields.String(allow_none=True, metadata=OPTIONAL)
    os = fields.String(allow_none=True, metadata=OPTIONAL)
    device = fields.String(allow_none=True, metadata=OPTIONAL)
    status = fields.Integer(allow_none=True, metadata=OPTIONAL)
    kind = fields.String(metadata=OPTIONAL)
    hour = DateTime(metadata=OPTIONAL)
    day = DateTime(metadata=OPTIONAL)
    week = DateTime(metadata=OPTIONAL)
    month = DateTime(metadata=OPTIONAL)
    visits = fields.Integer()
    visitors = fields.Integer()
    first = DateTime(allow_none=True)
    last = DateTime(allow_none=True)
    previous = fields.Nested(PreviousCountResponse, metadata=OPTIONAL)

    def values(self, group: Any) -> dict[str, Any]:
        counts = {name: getattr(group, name) for name in ("visits", "visitors", "first", "last")}
        previous = {} if group.previous is None else {"previous": group.previous}
        return {**group.group, **counts, **previous}
