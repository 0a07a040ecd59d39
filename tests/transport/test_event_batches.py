"""Reading batches: msgspec and marshmallow must come to the same verdict and the same values."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from api.events import EventRequest
from api.times import rfc3339
from service.events.events import EventBatch
from tests.support.examples import examples
from transport.bulk.events import read_json, read_ndjson

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
GOOD = {
    "event_id": "01234567-89ab-CDEF-0123-456789abcdef",
    "user_id": 5,
    "event_type": "view",
    "occurred_at": "2026-05-06T07:08:09Z",
    "properties": {},
}

numbers = (
    st.integers(-(2**70), 2**70)
    | st.sampled_from((2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**400))
    | st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(
    ("\0", "a\\u0000", "9e9", "1" * 30, "", "x" * 101, "я" * 100, "x" * 16_377, "я" * 8200)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
moments = st.datetimes(datetime(1969, 12, 31), datetime(2026, 5, 8)).map(
    lambda t: t.isoformat()
) | st.sampled_from(
    (
        "1970-01-01T00:00:00",
        "1969-12-31T23:59:59.999999",
        "1969-12-31T23:59:59.9999996",
        "2026-05-07T07:08:09",
        "2026-05-07T07:08:09.0000004",
        "2026-05-07T07:08:09.0000005",
        "2024-02-29T23:59:59.1234567891234",
        "2023-02-29T00:00:00",
        "2024-02-29T24:00:00",
        "2024-02-29T23:59:60",
        "2024-02-29t23:59",
        "2024-02-29 23:59:00",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59.9999999",
    )
)
offsets = st.sampled_from(
    ("", "Z", "z", "+00:00", "-00:00", "+02:00", "+0200", "-23:59", "+24:00", "+02", " 02:00", "+2:00")
)
times = st.builds(str.__add__, moments, offsets)
ids = (
    st.uuids().map(str)
    | st.uuids().map(lambda one: one.hex)
    | st.sampled_from(
        (
            "{01234567-89ab-cdef-0123-456789abcdef}",
            "urn:uuid:01234567-89ab-cdef-0123-456789abcdef",
            "0" * 31,
            "g" * 32,
        )
    )
)
FIELDS = {
    "event_id": ids | values,
    "user_id": numbers | values,
    "event_type": texts | values,
    "occurred_at": times | values,
    "properties": st.dictionaries(texts, values, max_size=3) | values,
    "more": values,
}


@st.composite
def items(draw: st.DrawFn) -> Any:
    """Draw an event in which some fields are random or missing, or something that is not an event."""
    item: dict[str, Any] = dict(GOOD)
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=2)):
        item[name] = draw(FIELDS[name])
    if draw(st.integers(0, 9)) == 0:
        item.pop(draw(st.sampled_from(sorted(item))))
    return draw(st.sampled_from([item] * 9 + [draw(values)]))


def slow(item: Any) -> dict[str, Any] | None:
    """Load an event by the schema alone, from JSON with exact numbers; None if it is invalid."""
    try:
        value = msgspec.json.decode(json.dumps(item))
        event: dict[str, Any] = EventRequest(now=NOW).load(value)
    except (ValidationError, msgspec.MsgspecError):
        return None
    return event


def fast(batch: EventBatch) -> dict[int, dict[str, Any]]:
    events = batch.events
    columns = (events.event_ids, events.user_ids, events.event_types, events.times, events.properties)
    names = ("event_id", "user_id", "event_type", "occurred_at", "properties")
    by_index = {
        index: dict(zip(names, row, strict=True))
        for index, row in zip(batch.indexes, zip(*columns, strict=True), strict=True)
    }
    for event in by_index.values():
        event["properties"] = json.loads(str(event["properties"]))
    return by_index


@given(st.lists(items(), min_size=1, max_size=4))
@example([GOOD | {"properties": {"a": 18446744073709551615}}])
@example([GOOD | {"occurred_at": "1969-12-31T23:59:59.9999996Z"}])
@settings(max_examples=examples(75), deadline=None)
def test_both_ways_come_to_the_same_verdict(batch: list[Any]) -> None:
    expected = {index: event for index, item in enumerate(batch) if (event := slow(item)) is not None}
    lines = "\n".join(json.dumps(item) for item in batch).encode()
    for result in (
        read_json(json.dumps({"events": batch}).encode(), now=NOW),
        read_json(json.dumps({"events": batch}, ensure_ascii=False).encode(), now=NOW),
        read_ndjson(lines, now=NOW),
    ):
        assert fast(result) == expected
        assert sorted(result.indexes + [verdict.index for verdict in result.invalid]) == list(
            range(len(batch))
        )
        assert all(verdict.errors for verdict in result.invalid)


def test_a_bad_neighbour_changes_nothing_of_the_good() -> None:
    good = [GOOD | {"event_id": str(uuid.UUID(int=number)), "properties": {"a": 0.1}} for number in range(3)]
    alone = read_json(json.dumps({"events": good}).encode(), now=NOW)
    together = read_json(json.dumps({"events": [5, *good, {}]}).encode(), now=NOW)
    assert together.events == alone.events
    assert together.indexes == [1, 2, 3]
    assert [verdict.index for verdict in together.invalid] == [0, 4]


@pytest.mark.parametrize(
    ("time", "valid"),
    [(NOW + timedelta(days=1), True), (NOW + timedelta(days=1, microseconds=1), False)],
)
def test_a_sender_may_be_a_day_ahead(time: datetime, valid: bool) -> None:
    batch = read_json(json.dumps({"events": [GOOD | {"occurred_at": rfc3339(time)}]}).encode(), now=NOW)
    assert bool(batch.indexes) == valid
