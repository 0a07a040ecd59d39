"""POST /events: the verdict on each event of a batch."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.times import rfc3339
from tests.support.event_requests import JSON, bodies, counts, event, list_events, send
from tests.support.http_client import User


async def test_each_event_has_its_verdict(user: User) -> None:
    await send(user.client, event(1), event(2))
    answer = await send(
        user.client, event(3), event(1), event(2, user_id=8), event(4, event_type=""), "nonsense", event(3)
    )
    assert counts(answer) == (6, 1, 2, 1, 2)
    ids = {number: str(uuid.UUID(int=number)) for number in range(5)}
    results = answer.json["results"]
    assert results[:2] == [
        {"index": 1, "event_id": ids[1], "status": "duplicate"},
        {"index": 2, "event_id": ids[2], "status": "conflict"},
    ]
    assert results[2] == {
        "index": 3,
        "event_id": ids[4],
        "status": "invalid",
        "errors": [{"pointer": "/events/3/event_type", "detail": "must have 1 to 100 characters"}],
    }
    assert (results[3]["index"], results[3]["errors"][0]["pointer"]) == (4, "/events/4")
    assert "event_id" not in results[3]
    assert results[4] == {"index": 5, "event_id": ids[3], "status": "duplicate"}
    assert {item["event_id"] for item in await list_events(user.client)} == {ids[1], ids[2], ids[3]}


async def test_an_event_comes_back_as_it_was_sent(user: User) -> None:
    original = event(
        5,
        user_id=-(2**63),
        event_type="Übergabe " * 11,
        occurred_at="2024-05-06T09:08:09.000001+02:00",
        properties={"a": [1, 1.5, None, True, {"ключ": "😀"}], "": 2**64 - 1},
    )
    assert counts(await send(user.client, original)) == (1, 1, 0, 0, 0)
    assert await list_events(user.client) == [original | {"occurred_at": "2024-05-06T07:08:09.000001Z"}]


async def test_the_same_instant_and_number_in_other_words_are_the_same_event(user: User) -> None:
    await send(user.client, event(1, properties={"a": 1.0, "b": 2}))
    again = event(1, properties={"b": 2, "a": 1}, occurred_at="2024-05-06t10:08:09.123456+03:00")
    again["event_id"] = again["event_id"].upper().replace("-", "")
    assert counts(await send(user.client, again)) == (1, 0, 1, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": 8},
        {"event_type": "View"},
        {"occurred_at": "2024-05-06T07:08:09.123457Z"},
        {"properties": {}},
        {"properties": {"page": "/a", "amount": "5"}},
    ],
)
async def test_other_content_of_a_known_id_is_a_conflict_and_changes_nothing(
    user: User, change: dict[str, Any]
) -> None:
    await send(user.client, event(1))
    assert counts(await send(user.client, event(1, **change))) == (1, 0, 0, 1, 0)
    assert await list_events(user.client) == [event(1)]


async def test_of_an_id_within_one_batch_the_first_event_counts(user: User) -> None:
    answer = await send(user.client, event(1), event(1, user_id=8), event(2), event(1), event(2, user_id=8))
    assert counts(answer) == (5, 2, 1, 2, 0)
    statuses = [(one["index"], one["status"]) for one in answer.json["results"]]
    assert statuses == [(1, "conflict"), (3, "duplicate"), (4, "conflict")]
    # Against what is stored, if the id was known before.
    answer = await send(user.client, event(1, user_id=8), event(1))
    assert [one["status"] for one in answer.json["results"]] == ["conflict", "duplicate"]


async def test_properties_may_be_left_out(user: User) -> None:
    bare = event(1)
    del bare["properties"]
    assert counts(await send(user.client, bare)) == (1, 1, 0, 0, 0)
    assert (await list_events(user.client))[0]["properties"] == {}


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"event_id": "nonsense"}, "/event_id"),
        ({"event_id": None}, "/event_id"),
        ({"event_id": 5}, "/event_id"),
        ({"user_id": "7.0"}, "/user_id"),
        ({"user_id": 7.0}, "/user_id"),
        ({"user_id": True}, "/user_id"),
        ({"user_id": None}, "/user_id"),
        ({"user_id": 2**63}, "/user_id"),
        ({"user_id": -(2**63) - 1}, "/user_id"),
        ({"event_type": "x" * 101}, "/event_type"),
        ({"event_type": "a\0b"}, "/event_type"),
        ({"event_type": 5}, "/event_type"),
        ({"occurred_at": "1969-12-31T23:59:59.999999Z"}, "/occurred_at"),
        ({"occurred_at": rfc3339(NOW + timedelta(days=3))}, "/occurred_at"),
        ({"occurred_at": "2024-02-30T00:00:00Z"}, "/occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+05:00"}, "/occurred_at"),
        ({"occurred_at": 1714979289}, "/occurred_at"),
        ({"properties": []}, "/properties"),
        ({"properties": "{}"}, "/properties"),
        ({"properties": "null"}, "/properties"),
        ({"properties": {"a": "\0"}}, "/properties"),
        ({"properties": {"a\0": 1}}, "/properties"),
        ({"properties": {"a": 2**64}}, "/properties"),
        ({"properties": {"a": [{"b": -(2**63) - 1}]}}, "/properties"),
        ({"properties": {"a": 10**400}}, "/properties"),
        ({"properties": {"a": "x" * (16 * 1024 - 7)}}, "/properties"),
        ({"properties": {"a": "я" * 8189}}, "/properties"),
        ({"properties": {"a": [1e300] * 100}}, "/properties"),
        ({"more": 1}, "/more"),
    ],
)
async def test_what_can_not_be_an_event_is_told_and_its_neighbours_stored(
    user: User, change: dict[str, Any], pointer: str
) -> None:
    for headers, body in bodies([event(1), event(2, **change), event(3)]):
        answer = await user.client.post("/events", data=body, headers=headers)
        assert counts(answer)[-1] == 1
        [invalid] = [one for one in answer.json["results"] if one["status"] == "invalid"]
        assert invalid["index"] == 1
        assert invalid["errors"][0]["pointer"] == f"/events/1{pointer}"
    assert len(await list_events(user.client)) == 2


@pytest.mark.parametrize("name", ["event_id", "user_id", "event_type", "occurred_at"])
async def test_the_other_fields_are_needed(user: User, name: str) -> None:
    incomplete = event(1)
    del incomplete[name]
    answer = await send(user.client, incomplete)
    assert counts(answer) == (1, 0, 0, 0, 1)
    assert answer.json["results"][0]["errors"][0]["pointer"] == f"/events/0/{name}"


@pytest.mark.parametrize(
    "change",
    [
        {"properties": {"a": "x" * (16 * 1024 - 8)}},
        {"properties": {"a": "я" * 8188}},
        {"occurred_at": "1970-01-01T00:00:00"},
        {"occurred_at": rfc3339(NOW + timedelta(hours=23, minutes=59))},
        {"user_id": 2**63 - 1},
        {"user_id": 0},
        {"event_type": "я" * 100},
        {"properties": {"a": 1e-300, "b": 1e300}},
    ],
)
async def test_the_bounds_belong_to_what_is_taken(user: User, change: dict[str, Any]) -> None:
    assert counts(await send(user.client, event(1, **change))) == (1, 1, 0, 0, 0)
    assert len(await list_events(user.client)) == 1


async def test_deep_properties_are_an_invalid_event(user: User) -> None:
    deep = json.dumps(event(1)).replace('"/a"', "[" * 150 + "]" * 150)
    body = f'{{"events": [{deep}, {json.dumps(event(2))}]}}'
    answer = await user.client.post("/events", data=body, headers=JSON)
    assert counts(answer) == (2, 1, 0, 0, 1)
    deeper = body.replace("[" * 150, "[" * 7000).replace("]" * 150, "]" * 7000)
    assert (await user.client.post("/events", data=deeper, headers=JSON)).status in (200, 400)
