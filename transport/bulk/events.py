"""Reads a batch of events, each with its own verdict: msgspec parses all, marshmallow judges the doubtful.

msgspec is forty times as fast, but accepts text and numbers that PostgreSQL can't store. An event in which
these may be, or that msgspec refuses, goes to `EventRequest`, whose verdict is final.
"""

import math
import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import orjson
from marshmallow import ValidationError
from msgspec import Meta, Raw

from api.events import CreateEventsRequest, EventRequest
from api.limits import (
    FIRST_TIME,
    MAX_AHEAD,
    MAX_BATCH,
    MAX_DEPTH,
    MAX_EVENT_TYPE,
    MAX_INTEGER,
    MAX_PROPERTIES,
    MIN_INTEGER,
)
from service.errors import Invalid
from service.events.events import EventBatch, NewEvents, Verdict
from transport.errors import BadJson, pointers

NO_PROPERTIES = Raw(b"{}")
MIN_EXPONENT = -16383  # of PostgreSQL's numeric
# A number that may be out of range: it has an exponent or many digits. With an alternative for each at the
# beginning of the pattern, the search would be ten times as slow.
SUSPECT = re.compile(r"[0-9](?:[eE]|[0-9]{15})")
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class FastEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    event_id: uuid.UUID
    user_id: Annotated[int, Meta(ge=MIN_INTEGER, le=MAX_INTEGER)]
    event_type: Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_TYPE)]
    occurred_at: datetime
    properties: Raw = NO_PROPERTIES


class FastBatch(msgspec.Struct, forbid_unknown_fields=True):
    events: Annotated[list[FastEvent], Meta(min_length=1, max_length=MAX_BATCH)]


class RawBatch(msgspec.Struct, forbid_unknown_fields=True):
    events: Annotated[list[Raw], Meta(min_length=1, max_length=MAX_BATCH)]


fast_batch = msgspec.json.Decoder(FastBatch)
raw_batch = msgspec.json.Decoder(RawBatch)
create_events_request = CreateEventsRequest()
fast_list = msgspec.json.Decoder(Annotated[list[FastEvent], Meta(min_length=1, max_length=MAX_BATCH)])
raw_list = msgspec.json.Decoder(Annotated[list[Raw], Meta(min_length=1, max_length=MAX_BATCH)])
fast_event = msgspec.json.Decoder(FastEvent)


def parse_float(text: str) -> float:
    """Parse a number of JSON; NaN for one with more digits behind the point than PostgreSQL stores."""
    try:
        exponent = Decimal(text).as_tuple().exponent
    except ArithmeticError:  # of more digits than Decimal takes
        return math.nan
    return float(text) if isinstance(exponent, int) and exponent >= MIN_EXPONENT else math.nan


any_value = msgspec.json.Decoder(float_hook=parse_float)


def read_json(body: bytes, *, now: datetime) -> EventBatch:
    """Read a batch from `{"events": […]}`, or from the list alone.

    :raises BadJson: the body is not JSON
    :raises ValidationError: it is not an object with a list of 1 to 10,000 events
    """
    reader = BatchReader(now)
    try:
        if not body.isascii():
            body.decode()
        try:
            events = fast_list.decode(body) if is_list(body) else fast_batch.decode(body).events
        except msgspec.ValidationError:
            return reader.read_each(split_events(body))
    except UNREADABLE as error:
        raise BadJson(f"the body is not JSON: {error}") from None
    return reader.read_all(events)


def is_list(body: bytes) -> bool:
    """Return whether the JSON is a list."""
    return body.lstrip(b" \t\r\n")[:1] == b"["


def split_events(body: bytes) -> Sequence[Raw]:
    """Split `{"events": […]}`, or a list, into the JSON texts of its events.

    :raises ValidationError: it is not an object with a list of 1 to 10,000 events
    """
    try:
        return raw_list.decode(body) if is_list(body) else raw_batch.decode(body).events
    except msgspec.ValidationError as error:
        value = any_value.decode(body)
        create_events_request.load({"events": value} if isinstance(value, list) else value)
        raise Invalid(f"this is not a list of events: {error}") from None


def read_ndjson(body: bytes, *, now: datetime) -> EventBatch:
    """Read a batch that has an event on each line. Blank lines are skipped and not counted.

    :raises Invalid: there are no lines, or more than 10,000
    """
    lines = [line for line in body.split(b"\n") if line and not line.isspace()]
    if not 1 <= len(lines) <= MAX_BATCH:
        detail = f"must have 1 to {MAX_BATCH} lines"
        raise Invalid(f"the body {detail}", errors=[("", detail)])
    return BatchReader(now).read_each(lines)


class BatchReader:
    """Fills a batch with events that arrive at `now`, and with the verdicts on those it refuses."""

    def __init__(self, now: datetime) -> None:
        self.batch = EventBatch()
        self._latest = now + MAX_AHEAD
        self._schema = EventRequest(now=now)

    def read_all(self, events: Sequence[FastEvent]) -> EventBatch:
        """Read parsed events: all at once if none is suspect, else one by one."""
        times = [event.occurred_at for event in events]
        types = [event.event_type for event in events]
        properties = [str(event.properties, "utf-8") for event in events]
        if (
            all(time.tzinfo is not None for time in times)
            and min(times) >= FIRST_TIME
            and max(times) <= self._latest
            and "\0" not in "".join(types)
            and not any_suspect(properties)
        ):
            ids = [event.event_id for event in events]
            users = [event.user_id for event in events]
            return EventBatch(NewEvents(ids, users, types, times, properties), list(range(len(events))))
        for index, event in enumerate(events):
            self._add(index, event)
        return self.batch

    def read_each(self, items: Iterable[Raw | bytes]) -> EventBatch:
        """Parse the JSON of each event by itself, so that a broken one spoils no other."""
        for index, item in enumerate(items):
            try:
                if isinstance(item, bytes):
                    item.decode()
                event = fast_event.decode(item)
            except UNREADABLE:
                self._judge_text(index, item)
            else:
                self._add(index, event)
        return self.batch

    def _add(self, index: int, event: FastEvent) -> None:
        """Add an event that msgspec has parsed, or let the schema judge it if it is suspect."""
        time = event.occurred_at
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        properties = str(event.properties, "utf-8")
        if "\0" in event.event_type or not FIRST_TIME <= time <= self._latest or any_suspect([properties]):
            self._judge_event(index, event, properties)
            return
        self.batch.add(
            index,
            event_id=event.event_id,
            user_id=event.user_id,
            event_type=event.event_type,
            occurred_at=time,
            properties=properties,
        )

    def _judge_event(self, index: int, event: FastEvent, properties: str) -> None:
        """Let the schema judge a parsed event. Its properties are decoded anew, with exact numbers."""
        try:
            value = any_value.decode(properties)
        except UNREADABLE as error:
            self._refuse(
                index, str(event.event_id), [(f"/events/{index}/properties", f"can't be read: {error}")]
            )
            return
        item = {
            "event_id": str(event.event_id),
            "user_id": event.user_id,
            "event_type": event.event_type,
            "occurred_at": event.occurred_at.isoformat(),
            "properties": value,
        }
        self._judge(index, item, None if value is None else properties)

    def _judge_text(self, index: int, item: Raw | bytes) -> None:
        """Let the schema judge the text of an event that msgspec has refused."""
        try:
            value = any_value.decode(item)
        except UNREADABLE as error:
            self._refuse(index, None, [(f"/events/{index}", f"can't be read: {error}")])
            return
        self._judge(index, value, None)

    def _judge(self, index: int, item: Any, properties: str | None) -> None:
        """Let the schema judge an event. `properties` is its JSON text, None to write it from the event."""
        try:
            values = self._schema.load(item)
        except ValidationError as error:
            event_id = item.get("event_id") if isinstance(item, dict) else None
            self._refuse(index, event_id, list(pointers(error.messages, f"/events/{index}")))
            return
        if properties is None:
            properties = orjson.dumps(values["properties"]).decode()
        self.batch.add(index, **values | {"properties": properties})

    def _refuse(self, index: int, event_id: Any, errors: Sequence[tuple[str, str]]) -> None:
        """Add the verdict on an invalid event, with its id if that can be read."""
        try:
            uuid_or_none = msgspec.convert(event_id, uuid.UUID)
        except msgspec.ValidationError:
            uuid_or_none = None
        self.batch.invalid.append(Verdict(index, "invalid", uuid_or_none, errors))


def any_suspect(properties: Sequence[str]) -> bool:
    """Return whether one of the JSON texts may be something else than an object that can be stored."""
    if not all(text[0] == "{" for text in properties) or 4 * max(map(len, properties)) > MAX_PROPERTIES:
        return True
    joined = "\n".join(properties)
    inner = joined.count("{") + joined.count("[") - len(properties)  # objects and lists in all of them
    return inner >= MAX_DEPTH or "\\u" in joined or SUSPECT.search(joined) is not None
