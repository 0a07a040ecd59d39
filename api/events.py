"""Events: what a batch holds, the verdicts on it, and the filters of lists."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, pre_load, validates, validates_schema

from api.bulk import BulkResponse, ItemError, Verdict, Verdicts
from api.fields import (
    NOT_AN_OBJECT,
    OPTIONAL,
    Choice,
    DigitsOrInteger,
    IntegerText,
    JsonSchema,
    RawCells,
    RawItems,
    RowResponse,
    Strict,
    Text,
    Uuid,
    item_count,
)
from api.limits import (
    FIRST_TIME,
    MAX_AHEAD,
    MAX_BATCH,
    MAX_DEPTH,
    MAX_EVENT_TYPE,
    MAX_FILTER,
    MAX_INTEGER,
    MAX_PROPERTIES,
    MIN_INTEGER,
)
from api.paging import Cursor, PageQuery
from api.times import DatedFilters, DateTime, FilterTime, TimeFilters, TimeZone

PROPERTY = re.compile(r"(?:property|properties)\.")
LAST_TIME = datetime(9999, 1, 1, tzinfo=UTC)

property_text = Text(maximum=MAX_PROPERTIES)
filter_text = Text(maximum=MAX_FILTER)
EXAMPLE = {
    "event_id": "0d9c6f3a-5b1e-4f7a-9a51-3f1f6d2c8e40",
    "user_id": 7,
    "event_type": "view",
    "occurred_at": "2018-08-01T03:00:00Z",
    "properties": {"page": "/fresh_fish/"},
}
FRACTION = re.compile(r"\.(\d{6})(\d+)")


class EventTime(DateTime):
    """A time, rounded to microseconds."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        fraction = None
        if isinstance(value, str):
            fraction = FRACTION.search(value)
            value = FRACTION.sub(r".\1", value, count=1)
        time = super()._deserialize(value)
        rounds_up = fraction is not None and fraction[2][0] >= "5" and time < LAST_TIME
        return time + timedelta(microseconds=rounds_up)


class Properties(fields.Field[dict[str, Any]]):
    """A JSON object of bounded size whose values PostgreSQL can store."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "object",
        "description": f"at most {MAX_PROPERTIES} bytes of JSON",
    }

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return {} if value is None else super().deserialize(value, *args, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError(NOT_AN_OBJECT)
        expansion = check_value(value, MAX_DEPTH)
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
        if size + expansion > MAX_PROPERTIES:
            raise ValidationError(f"must be at most {MAX_PROPERTIES} bytes of JSON")
        return value


def check_value(value: Any, depth: int) -> int:
    """Check that PostgreSQL can store a JSON value.

    :return: the bytes by which it grows there, where numbers with exponents are written out in digits
    :raises ValidationError: it can't be stored, or is nested deeper than `depth`
    """
    if isinstance(value, str):
        property_text.deserialize(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValidationError("must not hold numbers beyond 64 bits")
        text = repr(value)
        return len(format(Decimal(text), "f")) - len(text) if "e" in text else 0
    elif isinstance(value, int):
        # What does not fit int64 but uint64 is still 64 bits.
        if not MIN_INTEGER <= value <= 2 * MAX_INTEGER + 1:
            raise ValidationError("must not hold numbers beyond 64 bits")
    elif isinstance(value, dict | list):
        if not depth:
            raise ValidationError(f"must not be nested deeper than {MAX_DEPTH}")
        items = [*value, *value.values()] if isinstance(value, dict) else value
        return sum(check_value(item, depth - 1) for item in items)
    return 0


class EventRequest(Strict):
    """One event of a batch that came at `now`. `properties` may be left out, or null, for none."""

    event_id = Uuid(required=True)
    user_id = DigitsOrInteger(required=True)
    event_type = Text(minimum=1, maximum=MAX_EVENT_TYPE, required=True)
    occurred_at = EventTime(required=True)
    properties = Properties(load_default=dict, allow_none=True)

    def __init__(self, *, now: datetime = LAST_TIME, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latest = now + MAX_AHEAD

    @validates("occurred_at")
    def check_time(self, value: datetime, **_: Any) -> None:
        if not FIRST_TIME <= value <= self.latest:
            raise ValidationError("must lie between 1970 and a day ahead")


class CreateEventsRequest(Strict):
    """What must hold of a batch for its events to be judged one by one."""

    events = RawItems(
        fields.Nested(EventRequest),
        required=True,
        validate=item_count(1, MAX_BATCH),
        metadata={"description": "each is judged by itself", "example": [EXAMPLE]},
    )


class EventResponse(RowResponse):
    event_id = Uuid()
    user_id = fields.Integer()
    event_type = fields.String()
    occurred_at = DateTime()
    properties = fields.Dict(metadata={"additionalProperties": True})


class EventError(ItemError):
    pointer = fields.String(metadata={"description": "JSON pointer to the value, from the list of events on"})


class VerdictResponse(Verdict):
    """`event_id` is missing where it could not be read; `errors` come with invalid events alone."""

    index = fields.Integer(metadata={"description": "place in the batch, from 0"})
    id = Uuid(data_key="event_id", metadata=OPTIONAL)
    errors = fields.List(fields.Nested(EventError), metadata=OPTIONAL)


class CreateEventsResponse(BulkResponse):
    """The counts add up to `received`; `results` lists all but the created."""

    results = Verdicts(VerdictResponse, id_name="event_id")


class PropertyFilters(fields.Field[dict[str, list[Any]]]):
    """Properties by name with the value to filter by. Loads to the JSON values of which each must be one."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "`property.<name>=<value>`, any number of times: the value as text or as JSON",
    }

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, list[Any]]:
        if not isinstance(value, dict):
            raise ValidationError("must be written property.<name>=<value>")
        return {name: filter_values(text) for name, text in value.items()}


def filter_values(text: str) -> list[Any]:
    """List the JSON values that a text in a query may stand for: the text itself, and what it is as JSON.

    :raises ValidationError: the text is too long or can't be stored
    """
    filter_text.deserialize(text)
    try:
        value = json.loads(text, parse_constant=str)  # NaN and the infinities are not JSON, but text
        check_value(value, MAX_DEPTH)
    except (ValueError, RecursionError, ValidationError):
        return [text]
    return [text, value]


def collect_properties(data: Mapping[str, Any]) -> dict[str, Any]:
    """Collect the parameters `property.NAME` (or `properties.NAME`) of a query under `property.*`.

    :raises ValidationError: a name or a value is too long or can't be stored
    """
    for name in filter(PROPERTY.match, data):
        try:
            filter_text.deserialize(PROPERTY.sub("", name))
            filter_text.deserialize(data[name])
        except ValidationError as error:
            raise ValidationError(error.messages, name) from None
    properties = {PROPERTY.sub("", name): value for name, value in data.items() if PROPERTY.match(name)}
    rest = {name: value for name, value in data.items() if not PROPERTY.match(name)}
    return rest | ({"property.*": properties} if properties else {})


class EventFilterRequest(TimeFilters):
    """The filters of events. Loads to those that the query has, `properties` among them."""

    user_id = IntegerText()
    event_type = Text(minimum=1, maximum=MAX_EVENT_TYPE)
    since = FilterTime(data_key="from")
    until = FilterTime(data_key="to")
    tz = TimeZone(load_default="UTC")
    properties = PropertyFilters(data_key="property.*")

    @pre_load
    def collect_properties(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        return collect_properties(data)

    @validates_schema
    def check_order(self, data: Mapping[str, Any], **_: Any) -> None:
        if "since" in data and "until" in data and data["since"] > data["until"]:
            raise ValidationError("is before from", "to")


class ListEventsRequest(DatedFilters, PageQuery, EventFilterRequest):
    after = Cursor(DateTime(), Uuid())


class ExportEventsRequest(DatedFilters, EventFilterRequest):
    format = Choice("ndjson", "csv", load_default="ndjson")
    raw = RawCells()
