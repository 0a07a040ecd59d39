"""Times, time zones, and filters by time, exactly as they are written."""

import re
from collections.abc import Mapping
from datetime import MINYEAR, UTC, date, datetime, timedelta
from typing import Any, ClassVar, TypeGuard

from marshmallow import ValidationError, fields, post_load, pre_load

from api.fields import CodedMessage, JsonSchema, Strict
from api.time_zones import is_time_zone
from calendar_days import start_of_day

RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,9})?(?P<offset>[Zz]|[-+ ]\d\d:?\d\d)?",
    re.ASCII,
)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
FIRST_INSTANT, LAST_INSTANT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class TimeZone(fields.Field[str]):
    """A name of the table of time zones."""

    json_schema: ClassVar[JsonSchema] = {"type": "string", "example": "Europe/Berlin"}
    code: ClassVar[str] = "unknown_time_zone"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str) or not is_time_zone(value):
            raise ValidationError(
                [CodedMessage("must be an IANA time zone such as Europe/Berlin", self.code)]
            )
        return value


class DateTime(fields.Field[datetime]):
    """An RFC 3339 time, aware: one without an offset is UTC. Out always in UTC with `Z`."""

    json_schema: ClassVar[JsonSchema] = {"type": "string", "format": "date-time"}
    expected: ClassVar[str] = "a time such as 2018-08-01T03:00:00Z"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        match = RFC3339.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValidationError(f"must be {self.expected}")
        # In a query string, an unescaped + of an offset arrives as a space.
        offset = (match["offset"] or "Z").upper().replace(" ", "+")
        local_time = value[: match.start("offset")] if match["offset"] else value
        try:
            return datetime.fromisoformat(local_time + offset).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("must be a time that exists, in the years 1 to 9999") from None

    def _serialize(self, value: datetime | None, *_: Any, **__: Any) -> str | None:
        return None if value is None else rfc3339(value)


class FilterTime(DateTime):
    """A time of a filter, or a plain date, which `TimeFilters` turns into a whole day."""

    json_schema: ClassVar[JsonSchema] = {
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
        "description": "a time, or a plain date: the whole day in `tz`",
    }
    expected: ClassVar[str] = f"{DateTime.expected}, or a date such as 2018-08-01"


class TimeFilters(Strict):
    """Filters by time that also take plain dates: the whole day in `tz`.

    `from` is where the day begins, `to` where it is over: from 1 to 2 August are two days. Subclasses define
    `tz`; it is loaded, too.
    """

    starts: ClassVar[tuple[str, ...]] = ("from",)
    ends: ClassVar[tuple[str, ...]] = ("to",)

    @pre_load
    def read_dates(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        tz = data.get("tz", "UTC")
        if not isinstance(tz, str) or not is_time_zone(tz):
            return dict(data)  # whose error is told
        instants = {name: day_begin(data.get(name), tz, days=0) for name in self.starts}
        instants |= {name: day_begin(data.get(name), tz, days=1) for name in self.ends}
        return dict(data) | {
            name: rfc3339(self.fit(day)) for name, day in instants.items() if day is not None
        }

    def fit(self, instant: datetime) -> datetime:
        """Return an instant that the filter takes, for one at which a day begins."""
        return instant


class DatedFilters(TimeFilters):
    """The same where the zone serves dates alone: it is not loaded."""

    @post_load
    def drop_zone(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if name != "tz"}


def is_date(text: object) -> TypeGuard[str]:
    """Return whether a value has the form of a plain date."""
    return isinstance(text, str) and DATE.fullmatch(text) is not None


def day_begin(text: Any, tz: str, *, days: int) -> datetime | None:
    """Return the instant at which a date's day begins in a zone, so many days later; None for no date.

    Where the calendar ends before that, it is the first or the last of all instants: 9999-12-31 is for ever.
    """
    if not is_date(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    try:
        return start_of_day(day + timedelta(days=days), tz)
    except OverflowError:
        return FIRST_INSTANT if day.year == MINYEAR else LAST_INSTANT


def rfc3339(moment: datetime) -> str:
    """Write an aware time in UTC with `Z`."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat().removesuffix("+00:00") + "Z"
