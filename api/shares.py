"""Requests and responses about shares of views of the dashboard."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from api.fields import Choice, JsonSchema, NullIsAbsent, Text, Uuid
from api.limits import MAX_NAME, MAX_PAGE_URL
from api.paging import Cursor, PageQuery
from api.times import DateTime, TimeZone, day_begin

# Those of the dashboard's settings; each but the last ends at the newest visit.
PERIODS = ("today", "24h", "7d", "30d", "90d", "month", "last-month", "year", "all")
FILTERS = (
    "user_id",
    "page_url",
    "country",
    "category",
    "kind",
    "referrer",
    "browser",
    "os",
    "device",
    "status",
)
REPORT_PARAMETERS = ("category", "pages", "metric", "min_age")
# Those of one report alone, as the dashboard's address has them.
REPORT_KEYS = ("r1.metric", "r2.category", "r2.pages", "r3.category", "r3.pages", "r5.category", "r6.min_age")
UNITS = ("hour", "day", "week", "month")
OWN_PARAMETERS = {"overview": (*FILTERS, "unit"), "reports": (*REPORT_PARAMETERS, *REPORT_KEYS)}  # by view


class TimeText(Text):
    """A time or a plain date of a filter, left as text: it must be one, and stands in addresses."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "string",
        "anyOf": [{"format": "date-time"}, {"format": "date"}],
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=MAX_NAME, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = super()._deserialize(value)
        if day_begin(text, "UTC", days=0) is None:
            DateTime().deserialize(text)
        return text


class ParameterText(Text):
    """The value of a filter or of a report's parameter. What it may be the routes say that take it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=MAX_PAGE_URL, **kwargs)


class ShareParameters(NullIsAbsent):
    """Parameters of a view as its address has them: a period, or `from` and `to`.

    Filters, and the unit of its chart, are of the overview. The reports have parameters of their own:
    `r2.category` is that of report 2.
    """

    example: ClassVar[dict[str, Any]] = {"period": "7d", "tz": "Europe/Berlin"}

    period = Choice(*PERIODS, allow_none=True)
    since = TimeText(data_key="from", allow_none=True)
    until = TimeText(data_key="to", allow_none=True)
    tz = TimeZone(allow_none=True)
    source = Choice("all", "log", "api", "page", "site", allow_none=True)
    traffic = Choice("human", "bot", "all", allow_none=True)
    user_id = ParameterText(allow_none=True)
    page_url = ParameterText(allow_none=True)
    country = ParameterText(allow_none=True)
    category = ParameterText(allow_none=True)
    kind = ParameterText(allow_none=True)
    referrer = ParameterText(allow_none=True)
    browser = ParameterText(allow_none=True)
    os = ParameterText(allow_none=True)
    device = ParameterText(allow_none=True)
    status = ParameterText(allow_none=True)
    unit = Choice(*UNITS, allow_none=True)
    pages = ParameterText(allow_none=True)
    metric = ParameterText(allow_none=True)
    min_age = ParameterText(allow_none=True)
    r1_metric = ParameterText(data_key="r1.metric", allow_none=True)
    r2_category = ParameterText(data_key="r2.category", allow_none=True)
    r2_pages = ParameterText(data_key="r2.pages", allow_none=True)
    r3_category = ParameterText(data_key="r3.category", allow_none=True)
    r3_pages = ParameterText(data_key="r3.pages", allow_none=True)
    r5_category = ParameterText(data_key="r5.category", allow_none=True)
    r6_min_age = ParameterText(data_key="r6.min_age", allow_none=True)

    @validates_schema
    def check_one_period(self, data: Mapping[str, Any], **_: Any) -> None:
        if "period" in data and ("since" in data or "until" in data):
            raise ValidationError("can't be combined with from or to", "period")

    @post_load
    def name_as_in_addresses(self, data: dict[str, str], **_: Any) -> dict[str, str]:
        return {self.fields[name].data_key or name: value for name, value in data.items()}


class CreateShareRequest(NullIsAbsent):
    example: ClassVar[dict[str, Any]] = {
        "view": "reports",
        "parameters": {"period": "7d", "tz": "Europe/Berlin"},
    }

    view = Choice(*OWN_PARAMETERS, required=True)
    parameters = fields.Nested(ShareParameters, load_default=dict, allow_none=True)
    expires_at = DateTime(load_default=None, allow_none=True)

    @validates_schema
    def check_parameters(self, data: Mapping[str, Any], **_: Any) -> None:
        own = {name for names in OWN_PARAMETERS.values() for name in names}
        others = sorted(data["parameters"].keys() & own - {*OWN_PARAMETERS[data["view"]]})
        if others:
            raise ValidationError({"parameters": {name: ["is none of this view"] for name in others}})


class ListSharesRequest(PageQuery):
    after = Cursor(DateTime(), Uuid())


class SharedParameters(fields.Field[dict[str, str]]):
    """The parameters as they were given."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "example": {"period": "7d", "tz": "Europe/Berlin"},
    }


class ShareResponse(Schema):
    """A share, without its link."""

    id = Uuid()
    view = Choice(*OWN_PARAMETERS)
    parameters = SharedParameters()
    created_at = DateTime()
    expires_at = DateTime(allow_none=True)
    last_used_at = DateTime(allow_none=True)


class NewShareResponse(ShareResponse):
    """The one answer that holds the link. Whoever has it sees the view; its key stands behind the #."""

    link = fields.Method(
        "show_link",
        metadata={
            "type": "string",
            "example": "/dashboard#share=trawl_share_Yh2pT0aK5qQe0QyC8s1u4mJ9cVb7nX3wLrZf6DgHiEo",
        },
    )

    def __init__(self, *, link: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.link_shown_once = link

    def show_link(self, _: Any) -> str:
        return self.link_shown_once


class SharedViewResponse(Schema):
    """What the key of a share shows. `newest` is the time of the newest visit, at which periods end."""

    view = Choice(*OWN_PARAMETERS)
    parameters = SharedParameters()
    newest = DateTime(allow_none=True)
