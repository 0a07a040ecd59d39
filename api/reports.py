"""The parameters and the rows of each report."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_dump, validates_schema

from api.compared import ComparedPeriod
from api.fields import OPTIONAL, Choice, IntegerText, RawCells, Text
from api.limits import MAX_CART_AGE, MAX_CATEGORY, MAX_PAGE_SIZE, REPORT_ROWS
from api.times import DateTime, FilterTime, TimeFilters, TimeZone, is_date

FORMATS = ("json", "csv", "svg")
METRICS = ("requests", "visitors")
PAGES = ("all", "category", "product")
QUESTION = {"example": "From which country do visitors come most often?"}


def quarter_hour(time: datetime) -> datetime:
    """Return the start of the quarter of an hour that holds an instant."""
    return time.replace(minute=time.minute // 15 * 15, second=0, microsecond=0)


def check_quarter_hour(time: datetime | None) -> None:
    if time is not None and time != quarter_hour(time):
        raise ValidationError("must be on a quarter hour")


class ReportRequest(TimeFilters):
    """The parameters of every report. Dumped again, they show how they were understood."""

    since = FilterTime(data_key="from", load_default=None, validate=check_quarter_hour)
    until = FilterTime(data_key="to", load_default=None, validate=check_quarter_hour)
    tz = TimeZone(load_default="UTC")
    source = Choice("all", "log", "api", load_default="all")
    traffic = Choice("human", "bot", "all", load_default="human")
    limit = IntegerText(minimum=1, maximum=MAX_PAGE_SIZE, load_default=REPORT_ROWS)
    format = Choice(*FORMATS, load_default=None, load_only=True)
    raw = RawCells()

    def fit(self, instant: datetime) -> datetime:
        """Clocks were ahead of UTC by odd minutes until 1972: their days begin with the quarter hour here."""
        return quarter_hour(instant)

    @validates_schema(pass_original=True)
    def check_period(self, data: Mapping[str, Any], original_data: Mapping[str, Any], **_: Any) -> None:
        """Dates in order are a period even if the zone skipped all its days: nothing is counted then."""
        first, last = original_data.get("from"), original_data.get("to")
        if is_date(first) and is_date(last) and first <= last:
            return
        if data["since"] and data["until"] and data["since"] >= data["until"]:
            raise ValidationError("must be after from", "to")


class TopCountriesRequest(ReportRequest):
    metric = Choice(*METRICS, load_default=METRICS[0])


class CategoryCountriesRequest(ReportRequest):
    category = Text(minimum=1, maximum=MAX_CATEGORY, load_default="fresh_fish")
    pages = Choice(*PAGES, load_default="all")


class CategoryHoursRequest(ReportRequest):
    category = Text(minimum=1, maximum=MAX_CATEGORY, load_default="frozen_fish")
    pages = Choice(*PAGES, load_default="category")


class BoughtTogetherRequest(ReportRequest):
    category = Text(minimum=1, maximum=MAX_CATEGORY, load_default="semi_manufactures")


class UnpaidCartsRequest(ComparedPeriod, ReportRequest):
    min_age = IntegerText(minimum=0, maximum=MAX_CART_AGE, load_default=0)

    @post_dump
    def leave_out_no_comparison(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if name != "compare" or value is not None}


class CountryRow(Schema):
    """`requests` or `visitors`, by `metric`; `share` is of those whose country is known."""

    country = fields.String()
    name = fields.String()
    requests = fields.Integer(metadata=OPTIONAL)
    visitors = fields.Integer(metadata=OPTIONAL)
    share = fields.Float()


class PartOfDayRow(Schema):
    part_of_day = fields.String()
    from_hour = fields.Integer()
    to_hour = fields.Integer()
    views = fields.Integer()
    hours = fields.List(fields.Integer())


class HourRow(Schema):
    hour = DateTime()
    requests = fields.Integer()


class BoughtTogetherRow(Schema):
    category = fields.String()
    carts = fields.Integer()
    support = fields.Float()
    confidence = fields.Float()
    lift = fields.Float()


class CartRow(Schema):
    carts = fields.Integer()
    paid = fields.Integer()
    unpaid = fields.Integer()
    unpaid_share = fields.Float()


class PurchaseRow(Schema):
    purchases = fields.Integer()
    users = fields.Integer()


REQUESTS: dict[int, type[ReportRequest]] = {
    1: TopCountriesRequest,
    2: CategoryCountriesRequest,
    3: CategoryHoursRequest,
    4: ReportRequest,
    5: BoughtTogetherRequest,
    6: UnpaidCartsRequest,
    7: ReportRequest,
}
ROWS: dict[int, type[Schema]] = {
    1: CountryRow,
    2: CountryRow,
    3: PartOfDayRow,
    4: HourRow,
    5: BoughtTogetherRow,
    6: CartRow,
    7: PurchaseRow,
}


@cache
def report_request(number: int) -> ReportRequest:
    """Return the schema of a report's parameters, which is made once: that costs more than to load them."""
    return REQUESTS[number]()


@cache
def report_row(number: int) -> Schema:
    """Return the schema of a report's rows."""
    return ROWS[number]()


def row_names(number: int, parameters: Mapping[str, Any]) -> list[str]:
    """List the names in the rows of a report: of the METRICS there is the one that is counted."""
    metric = parameters.get("metric", METRICS[0])
    return [name for name in report_row(number).fields if name not in METRICS or name == metric]


class ReportResponse(Schema):
    """A report's answer with all that tells what it means. Rows are those of the report's own schema.

    `previous` is there if it was asked for: the row of the equally long period before.
    """

    report = fields.Integer(attribute="report.number")
    title = fields.String(metadata=QUESTION)
    definition = fields.String(attribute="report.definition")
    parameters = fields.Method(
        "dump_parameters",
        metadata={
            "type": "object",
            "example": {"tz": "UTC", "source": "all", "traffic": "human", "limit": 10},
        },
    )
    answer = fields.Raw(metadata={"type": ["string", "integer", "null"]})
    rows = fields.Method(
        "dump_rows", metadata={"type": "array", "x-items": tuple(dict.fromkeys(ROWS.values()))}
    )
    previous = fields.Nested(CartRow, metadata=OPTIONAL)
    as_of = DateTime(allow_none=True)

    @post_dump
    def leave_out_no_comparison(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if name != "previous" or value is not None}

    def dump_parameters(self, result: Any) -> Any:
        return report_request(result.report.number).dump(result.parameters)

    def dump_rows(self, result: Any) -> Any:
        return report_row(result.report.number).dump(result.rows, many=True)


class ReportSummary(Schema):
    """One of GET /reports: what the report answers, and its parameters with their defaults."""

    report = fields.Integer(attribute="number")
    title = fields.String(metadata=QUESTION)
    definition = fields.String()
    parameters = fields.Method(
        "dump_parameters",
        metadata={
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "example": "metric"},
                    "default": {"type": ["string", "integer", "boolean", "null"], "example": "requests"},
                    "choices": {
                        "type": "array",
                        "items": {"type": "string"},
                        "example": ["requests", "visitors"],
                    },
                },
                "required": ["name", "default"],
            },
        },
    )

    def dump_parameters(self, report: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": field.data_key or name,
                "default": field.load_default,
                **({"choices": field.choices} if isinstance(field, Choice) else {}),
            }
            for name, field in report_request(report.number).fields.items()
        ]
