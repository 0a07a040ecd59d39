"""Statistics of events: their parameters and their rows."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load, pre_load, validates_schema

from api.events import EventFilterRequest, PropertyFilters, collect_properties, filter_values
from api.fields import (
    OPTIONAL,
    Choice,
    GroupResponse,
    Integer,
    IntegerText,
    JsonSchema,
    Strict,
    Text,
    choices_schema,
)
from api.limits import (
    FIRST_TIME,
    FUNNEL_STEPS,
    FUNNEL_WITHIN,
    MAX_EVENT_TYPE,
    MAX_FILTER,
    MAX_FUNNEL_WITHIN,
    MAX_GROUPS,
    MAX_PAGE_SIZE,
    MAX_WINDOWS,
    PAGE_SIZE,
    WINDOWS,
)
from api.paging import Cursor, PageQuery
from api.times import DATE, DatedFilters, DateTime, FilterTime, TimeFilters, TimeZone

GROUPS = ("type", "user", "hour", "day", "week", "month")
FIRST_DAY = FIRST_TIME.date()
# Between these, a time has a local time in every zone.
FIRST_LOCAL, LAST_LOCAL = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)


class Names(Text):
    """Names with commas between them, from `least` to `most`; `choices`, if there are any, limits them."""

    def __init__(self, *choices: str, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=most * (MAX_EVENT_TYPE + 1), **kwargs)
        self.choices, self.least, self.most = choices, least, most

    @property
    def json_schema(self) -> JsonSchema:
        if self.choices:
            return choices_schema(self.choices, self.most)
        return {"type": "string", "description": f"{self.least} to {self.most}, with commas between: names"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        names = super()._deserialize(",".join(value) if isinstance(value, list) else value).split(",")
        if not self.least <= len(names) <= self.most:
            raise ValidationError(f"must be {self.least} to {self.most} names with commas between")
        for name in names:
            if self.choices and name not in self.choices:
                raise ValidationError(f"must be of: {', '.join(self.choices)}")
            Text(minimum=1, maximum=MAX_EVENT_TYPE).deserialize(name)
        return names


class Steps(Text):
    """The steps of a funnel, each a parameter of its own."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "array",
        "items": {"type": "string", "maxLength": MAX_EVENT_TYPE},
        "description": "the type of a step, once for each step",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=MAX_EVENT_TYPE, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        least, most = FUNNEL_STEPS
        if not least <= len(value) <= most:
            raise ValidationError(f"must be given {least} to {most} times")
        return [super(Steps, self)._deserialize(name) for name in value]


class Day(fields.Field[date]):
    """A date from `first` on, by default the first of 1970."""

    json_schema: ClassVar[JsonSchema] = {"type": "string", "format": "date"}

    def __init__(self, *, first: date = FIRST_DAY, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = first

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> date:
        try:
            day = date.fromisoformat(value) if isinstance(value, str) and DATE.fullmatch(value) else None
        except ValueError:
            day = None
        if day is None or not self.first <= day < LAST_LOCAL.date():
            raise ValidationError("must be a date such as 2018-08-01, from 1970 on")
        return day


class Start(FilterTime):
    """Where windows begin: a time, or a date for its day in `tz`; both from 1970 on."""

    json_schema: ClassVar[JsonSchema] = {
        **FilterTime.json_schema,
        "description": "where the first window begins: a time, or a plain date: the day in `tz`",
    }

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and DATE.fullmatch(value):
            return Day().deserialize(value)
        time = super()._deserialize(value, *args, **kwargs)
        if not FIRST_TIME <= time < LAST_LOCAL:
            raise ValidationError(f"must be {self.expected}, from 1970 on")
        return time


class Segment(Text):
    """`event_type:NAME`, `property.NAME:VALUE` or `properties.NAME=VALUE`.

    Loads to `{event_type}` or `{name, values}`.
    """

    json_schema: ClassVar[JsonSchema] = {
        "type": "string",
        "description": (
            "`event_type:NAME`, `property.NAME:VALUE` or `properties.NAME=VALUE`: only such events make a "
            "user active"
        ),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(maximum=2 * MAX_FILTER, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        segment = super()._deserialize(value)
        key, colon, text = segment.partition(":")
        if colon and key == "event_type":
            return {"event_type": Text(minimum=1, maximum=MAX_EVENT_TYPE).deserialize(text)}
        for begin, between in (("property.", ":"), ("properties.", "=")):
            name, separator, text = segment.removeprefix(begin).partition(between)
            if segment.startswith(begin) and name and separator:
                return {"name": name, "values": filter_values(text)}
        raise ValidationError("must be event_type:NAME, property.NAME:VALUE or properties.NAME=VALUE")


class PeriodRequest(TimeFilters):
    since = FilterTime(data_key="from", load_default=None)
    until = FilterTime(data_key="to", load_default=None)
    tz = TimeZone(load_default="UTC")

    @validates_schema
    def check_period(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["since"] and data["until"] and data["since"] > data["until"]:
            raise ValidationError("is before from", "to")

    @post_load
    def open_ends(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Take the ends of the calendar for no bound: clients send them for ever."""
        ends: dict[str, Any] = {}
        if data["since"] and data["since"] < FIRST_LOCAL:
            ends["since"] = None
        if data["until"] and data["until"] >= LAST_LOCAL:
            ends["until"] = None
        return data | ends


class GroupKey(fields.Field[Any]):
    """A part of a cursor whose type depends on the grouping."""


class CountEventsRequest(PageQuery, EventFilterRequest):
    repeatable: ClassVar[frozenset[str]] = frozenset({"group_by"})

    group_by = Names(*GROUPS, least=1, most=MAX_GROUPS, load_default=lambda: ["type"])
    after = Cursor(Integer(minimum=1), GroupKey(), GroupKey(allow_none=True))

    @post_load
    def type_cursor(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Load the groups of the cursor to the types that they have in the database."""
        if len(set(data["group_by"])) < len(data["group_by"]):
            raise ValidationError("must name different groups", "group_by")
        if data["after"] is None:
            return data
        events, *groups = data["after"]
        parts = [GROUP_FIELDS.get(name, DAY) for name in data["group_by"]]
        try:
            values = [part.deserialize(group) for part, group in zip(parts, groups, strict=False)]
        except ValidationError:
            raise ValidationError("is not a cursor of this list", "cursor") from None
        return data | {"after": (events, *values)}


DAY = Day(first=date(1969, 12, 1))  # a zone's day, week or month may begin before 1970
GROUP_FIELDS: dict[str, fields.Field[Any]] = {
    "type": Text(minimum=1, maximum=MAX_EVENT_TYPE),
    "user": Integer(),
    "hour": DateTime(),
}


class EventCountResponse(GroupResponse):
    """A group with its totals; it has the fields that were asked for by `group_by`."""

    event_type = fields.String(metadata=OPTIONAL)
    user_id = fields.Integer(metadata=OPTIONAL)
    hour = DateTime(metadata=OPTIONAL)
    day = DateTime(metadata=OPTIONAL)
    week = DateTime(metadata=OPTIONAL)
    month = DateTime(metadata=OPTIONAL)
    events = fields.Integer()
    users = fields.Integer()

    def values(self, group: Any) -> dict[str, Any]:
        return {**group.groups, "events": group.events, "users": group.users}


class ActiveUsersRequest(PeriodRequest):
    """`property.NAME=VALUE` is the segment of that property."""

    segment = Segment(load_default=dict)
    properties = PropertyFilters(data_key="property.*", load_default=None)

    @pre_load
    def collect_properties(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        return collect_properties(data)

    @post_load
    def choose_segment(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        properties: dict[str, list[Any]] | None = data.pop("properties")
        if properties is None:
            return data
        if data["segment"] or len(properties) > 1:
            raise ValidationError("must be the only segment", "property.*")
        [(name, values)] = properties.items()
        return data | {"segment": {"name": name, "values": values}}


class ActiveDayResponse(Schema):
    day = DateTime()
    users = fields.Integer()


class TopEventsRequest(DatedFilters, PeriodRequest):
    limit = IntegerText(minimum=1, maximum=MAX_PAGE_SIZE, load_default=PAGE_SIZE)


class TopEventResponse(Schema):
    event_type = fields.String()
    events = fields.Integer()
    users = fields.Integer()


class RetentionRequest(Strict):
    """`start_date` is another name of `start`; one of them must be given."""

    start = Start(load_default=None)
    start_date = Start(load_default=None)
    windows = IntegerText(minimum=1, maximum=MAX_WINDOWS, load_default=WINDOWS)
    unit = Choice("day", "week", load_default="day")
    tz = TimeZone(load_default="UTC")

    @post_load
    def choose_start(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        other = data.pop("start_date")
        if (data["start"] is None) == (other is None):
            raise ValidationError("must be given, once", "start")
        return data | {"start": data["start"] or other}


class CohortResponse(Schema):
    cohort = DateTime()
    size = fields.Integer()
    retained = fields.List(fields.Integer())


class FunnelRequest(DatedFilters, PeriodRequest):
    """`steps`, or `step` once for each, for types that hold a comma."""

    repeatable: ClassVar[frozenset[str]] = frozenset({"step"})

    steps = Names(least=FUNNEL_STEPS[0], most=FUNNEL_STEPS[1], load_default=None)
    step = Steps(load_default=None)
    within = IntegerText(minimum=1, maximum=MAX_FUNNEL_WITHIN, load_default=FUNNEL_WITHIN)

    @post_load
    def choose_steps(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        steps, step = data.pop("steps"), data.pop("step")
        if (steps is None) == (step is None):
            raise ValidationError("must be given once: as steps=a,b, or as step=a&step=b", "steps")
        return data | {"steps": steps or step}


class FunnelStepResponse(Schema):
    step = fields.Integer(metadata={"description": "from 1"})
    event_type = fields.String()
    users = fields.Integer()
    share = fields.Float(metadata={"description": "of the users who did the first step"})
