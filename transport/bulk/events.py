"""Reads a batch of events, each with its own verdict: msgspec takes the good, marshmallow judges the others.

msgspec is forty times as fast. What it takes is checked once more for what it does not know (text and numbers
that PostgreSQL can't store); what is refused by either goes to `EventRequest`, whose word is the last.
"""

import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import orjson
from marshmallow import ValidationError
from msgspec import Meta, Raw

from api.events import (
    AHEAD,
    FIRST_TIME,
    MAX_DEPTH,
    MAX_EVENTS,
    MAX_PROPERTIES,
    MAX_TYPE,
    CreateEventsRequest,
    EventRequest,
)
from api.fields import MAX_INTEGER, MIN_INTEGER
from service.errors import Invalid
from service.events.events import EventBatch, NewEvents, Verdict
from transport.errors import BadJson, pointers

NO_PROPERTIES = Raw(b"{}")
# What may be a number that can't be stored: with an exponent, or long. Written as alternatives at its
# begin it would be ten times as slow.
SUSPECT = re.compile(r"[0-9](?:[eE]|[0-9]{15})")
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class FastEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    event_id: uuid.UUID
    user_id: Annotated[int, Meta(ge=MIN_INTEGER, le=MAX_INTEGER)]
    event_type: Annotated[str, Meta(min_length=1, max_length=MAX_TYPE)]
    occurred_at: datetime
    properties: Raw = NO_PROPERTIES


class FastBatch(msgspec.Struct, forbid_unknown_fields=True):
    events: Annotated[list[FastEvent], Meta(min_length=1, max_length=MAX_EVENTS)]


class RawBatch(msgspec.Struct, forbid_unknown_fields=True):
    events: Annotated[list[Raw], Meta(min_length=1, max_length=MAX_EVENTS)]


fast_batch = msgspec.json.Decoder(FastBatch)
raw_batch = msgspec.json.Decoder(RawBatch)
fast_event = msgspec.json.Decoder(FastEvent)
any_value = msgspec.json.Decoder()


def read_json(body: bytes, *, now: datetime) -> EventBatch:
    """A batch from `{"events": […]}`.

    :raises BadJson: it is no JSON
    :raises ValidationError: it is no list of 1 to 10,000 events
    """
    reader = BatchReader(now)
    try:
        if not body.isascii():
            body.decode()
        try:
            events = fast_batch.decode(body).events
        except msgspec.ValidationError:
            return reader.read_each(read_list(body))
    except UNREADABLE as error:
        raise BadJson(f"the body is not JSON: {error}") from None
    return reader.read_all(events)


def read_list(body: bytes) -> Sequence[Raw]:
    try:
        return raw_batch.decode(body).events
    except msgspec.ValidationError as error:
        CreateEventsRequest().load(any_value.decode(body))
        raise Invalid(f"this is no list of events: {error}") from None


def read_ndjson(body: bytes, *, now: datetime) -> EventBatch:
    """A batch from an event a line. Blank lines are skipped and not counted.

    :raises Invalid: there are no lines, or more than 10,000
    """
    lines = [line for line in body.split(b"\n") if line and not line.isspace()]
    if not 1 <= len(lines) <= MAX_EVENTS:
        detail = f"must have 1 to {MAX_EVENTS} lines"
        raise Invalid(f"the body {detail}", errors=[("", detail)])
    return BatchReader(now).read_each(lines)


class BatchReader:
    """Fills a batch, event by event, as they come in at `now`."""

    def __init__(self, now: datetime) -> None:
        self.batch = EventBatch()
        self._latest = now + AHEAD
        self._schema = EventRequest(now=now)

    def read_all(self, events: Sequence[FastEvent]) -> EventBatch:
        """All at once, where nothing in any of them is suspect; else one by one."""
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
            self._take(index, event)
        return self.batch

    def read_each(self, items: Iterable[Raw | bytes]) -> EventBatch:
        for index, item in enumerate(items):
            try:
                if isinstance(item, bytes):
                    item.decode()
                event = fast_event.decode(item)
            except UNREADABLE:
                self._judge_text(index, item)
            else:
                self._take(index, event)
        return self.batch

    def _take(self, index: int, event: FastEvent) -> None:
        """Keep an event that msgspec has read, if it has nothing that msgspec does not know of."""
        time = event.occurred_at
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        properties = str(event.properties, "utf-8")
        if "\0" in event.event_type or not FIRST_TIME <= time <= self._latest or any_suspect([properties]):
            self._judge_event(index, event, properties)
            return
        self.batch.keep(
            index,
            event_id=event.event_id,
            user_id=event.user_id,
            event_type=event.event_type,
            occurred_at=time,
            properties=properties,
        )

    def _judge_event(self, index: int, event: FastEvent, properties: str) -> None:
        """Hear the schema on an event that is suspect, its numbers exact."""
        try:
            decoded = any_value.decode(properties)
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
            "properties": decoded,
        }
        self._judge(index, item, properties)

    def _judge_text(self, index: int, item: Raw | bytes) -> None:
        """Hear the schema on what msgspec has refused."""
        try:
            decoded = any_value.decode(item)
        except UNREADABLE as error:
            self._refuse(index, None, [(f"/events/{index}", f"can't be read: {error}")])
            return
        self._judge(index, decoded, None)

    def _judge(self, index: int, item: Any, properties: str | None) -> None:
        try:
            good = self._schema.load(item)
        except ValidationError as error:
            event_id = item.get("event_id") if isinstance(item, dict) else None
            self._refuse(index, event_id, list(pointers(error.messages, f"/events/{index}")))
            return
        if properties is None:
            properties = orjson.dumps(good["properties"]).decode()
        self.batch.keep(index, **good | {"properties": properties})

    def _refuse(self, index: int, event_id: Any, errors: Sequence[tuple[str, str]]) -> None:
        try:
            known = msgspec.convert(event_id, uuid.UUID)
        except msgspec.ValidationError:
            known = None
        self.batch.invalid.append(Verdict(index, "invalid", known, errors))


def any_suspect(properties: Sequence[str]) -> bool:
    """Whether one of the JSON texts may be something else than an object that can be stored."""
    if not all(text[0] == "{" for text in properties) or 4 * max(map(len, properties)) > MAX_PROPERTIES:
        return True
    joined = "\n".join(properties)
    opened = joined.count("{") + joined.count("[") - len(properties)  # but for the objects themselves
    return opened >= MAX_DEPTH or "\\u" in joined or SUSPECT.search(joined) is not None
