"""Events: what a batch holds, what is told of it, and which are asked for."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, pre_load, validates, validates_schema
from marshmallow.validate import Length

from api.fields import (
    MAX_INTEGER,
    MIN_INTEGER,
    Choice,
    DateTime,
    Integer,
    IntegerText,
    JsonSchema,
    RowResponse,
    Strict,
    Text,
    Uuid,
)
from api.paging import Cursor, PageQuery

MAX_EVENTS = 10_000  # in a batch
MAX_TYPE = 100  # characters
MAX_PROPERTIES = 16 * 1024  # bytes of compact JSON
MAX_DEPTH = 100  # objects and lists within each other
MAX_FILTER = 2000  # characters of a property's name, or of the value that it is asked for
PROPERTY = "property."
FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
LAST_TIME = datetime(9999, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)  # how far a sender's clock may be before ours

STORABLE = Text(maximum=MAX_PROPERTIES)
ASKED = Text(maximum=MAX_FILTER)
OPTIONAL = {"x-optional": True}
EXAMPLE = {
    "event_id": "0d9c6f3a-5b1e-4f7a-9a51-3f1f6d2c8e40",
    "user_id": 7,
    "event_type": "view",
    "occurred_at": "2018-08-01T03:00:00Z",
    "properties": {"page": "/fresh_fish/"},
}
FRACTION = re.compile(r"\.(\d{6})(\d+)")
BARE_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")


class EventTime(DateTime):
    """A time, rounded to microseconds; its offset may lack the colon."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        more = None
        if isinstance(value, str):
            value = BARE_OFFSET.sub(r"\1:\2", value)
            more = FRACTION.search(value)
            value = FRACTION.sub(r".\1", value, count=1)
        time = super()._deserialize(value)
        rounded = more is not None and more[2][0] >= "5" and time < LAST_TIME
        return time + timedelta(microseconds=rounded)


class Properties(fields.Field[dict[str, Any]]):
    """A JSON object of bounded size whose values PostgreSQL can store."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "object",
        "description": f"at most {MAX_PROPERTIES} bytes of JSON",
    }

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        written_out = check_value(value, MAX_DEPTH)
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
        if size + written_out > MAX_PROPERTIES:
            raise ValidationError(f"must be at most {MAX_PROPERTIES} bytes of JSON")
        return value


def check_value(value: Any, depth: int) -> int:
    """Bytes that numbers with exponents take more when they are written out, as PostgreSQL does.

    :raises ValidationError: it can't be stored, or is nested deeper than `depth`
    """
    if isinstance(value, str):
        STORABLE.deserialize(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValidationError("must not hold numbers beyond 64 bits")
        written = repr(value)
        return len(format(Decimal(written), "f")) - len(written) if "e" in written else 0
    elif isinstance(value, int):
        # What does not fit int64 but uint64 is still 64 bits.
        if not MIN_INTEGER <= value <= 2 * MAX_INTEGER + 1:
            raise ValidationError("must not hold numbers beyond 64 bits")
    elif isinstance(value, dict | list):
        if not depth:
            raise ValidationError(f"must not be nested deeper than {MAX_DEPTH}")
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        return sum(check_value(item, depth - 1) for item in inner)
    return 0


class EventRequest(Strict):
    """One event of a batch that came at `now`. `properties` may be left out for none."""

    event_id = Uuid(required=True)
    user_id = Integer(required=True)
    event_type = Text(minimum=1, maximum=MAX_TYPE, required=True)
    occurred_at = EventTime(required=True)
    properties = Properties(load_default=dict)

    def __init__(self, *, now: datetime = LAST_TIME, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latest = now + AHEAD

    @validates("occurred_at")
    def check_time(self, value: datetime, **_: Any) -> None:
        if not FIRST_TIME <= value <= self.latest:
            raise ValidationError("must lie between 1970 and a day ahead")


class CreateEventsRequest(Strict):
    """What must hold of a batch for its events to be judged one by one."""

    events = fields.List(
        fields.Raw(),
        required=True,
        validate=Length(1, MAX_EVENTS),
        metadata={"description": "each is an EventRequest, judged by itself", "example": [EXAMPLE]},
    )


class EventResponse(RowResponse):
    event_id = Uuid()
    user_id = fields.Integer()
    event_type = fields.String()
    occurred_at = DateTime()
    properties = fields.Dict(metadata={"additionalProperties": True})


class EventError(Schema):
    pointer = fields.String(metadata={"description": "JSON pointer to the value, from the list of events on"})
    detail = fields.String()


class VerdictResponse(Schema):
    """`event_id` is missing where it could not be read; `errors` come with invalid events alone."""

    index = fields.Integer(metadata={"description": "place in the batch, from 0"})
    event_id = Uuid(metadata=OPTIONAL)
    status = fields.String(metadata={"enum": ["duplicate", "conflict", "invalid"]})
    errors = fields.List(fields.Nested(EventError), metadata=OPTIONAL)


class Verdicts(fields.List[Any]):
    """Verdicts, of which there may be thousands: written by hand, ten times as fast as by their schema."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return [dump_verdict(verdict) for verdict in value]


def dump_verdict(verdict: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = {"index": verdict.index}
    if verdict.event_id is not None:
        dumped["event_id"] = str(verdict.event_id)
    dumped["status"] = verdict.status
    if verdict.errors:
        dumped["errors"] = [{"pointer": pointer, "detail": detail} for pointer, detail in verdict.errors]
    return dumped


class CreateEventsResponse(Schema):
    """The counts add up to `received`; `results` lists all but the created."""

    received = fields.Integer()
    created = fields.Integer()
    duplicates = fields.Integer()
    conflicts = fields.Integer()
    invalid = fields.Integer()
    results = Verdicts(fields.Nested(VerdictResponse))


class PropertyFilters(fields.Field[dict[str, list[Any]]]):
    """Name and asked value of properties. Loads to the JSON values of which each must be one."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "string",
        "description": "`property.<name>=<value>`, any number of times: the value as text or as JSON",
    }

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, list[Any]]:
        if not isinstance(value, dict):
            raise ValidationError("is asked for as property.<name>=<value>")
        for name in value:
            ASKED.deserialize(name)
        return {name: values_of(asked) for name, asked in value.items()}


def values_of(text: str) -> list[Any]:
    """The JSON values that a text in a query may mean: itself, and what it is as JSON."""
    ASKED.deserialize(text)
    try:
        meant = json.loads(text, parse_constant=ASKED.deserialize)
        check_value(meant, MAX_DEPTH)
    except (ValueError, RecursionError, ValidationError):
        return [text]
    return [text, meant]


class EventFilterRequest(Strict):
    """The filters of events. Loads to those given, `properties` among them."""

    user_id = IntegerText()
    event_type = Text(minimum=1, maximum=MAX_TYPE)
    since = DateTime(data_key="from")
    until = DateTime(data_key="to")
    properties = PropertyFilters(data_key="property.*")

    @pre_load
    def collect_properties(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        rest = {name: value for name, value in data.items() if not name.startswith(PROPERTY)}
        asked = {name.removeprefix(PROPERTY): data[name] for name in data.keys() - rest.keys()}
        return rest | ({"property.*": asked} if asked else {})

    @validates_schema
    def check_order(self, data: Mapping[str, Any], **_: Any) -> None:
        if "since" in data and "until" in data and data["since"] > data["until"]:
            raise ValidationError("is before from", "to")


class ListEventsRequest(PageQuery, EventFilterRequest):
    after = Cursor(DateTime(), Uuid())


class ExportEventsRequest(EventFilterRequest):
    format = Choice("ndjson", "csv", load_default="ndjson")
