"""/events over HTTP: verdicts on batches, lists, filters, exports."""

import asyncio
import csv
import gzip
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import insert

from api.fields import rfc3339
from db.database import Database
from db.models import Account, Session
from service.deps import Deps, RateLimits
from tests.http_client import Answer, Client, User
from tests.http_server import RunningApp

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
COUNTS = ("received", "created", "duplicates", "conflicts", "invalid")


def event(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": str(uuid.UUID(int=number)),
        "user_id": 7,
        "event_type": "view",
        "occurred_at": "2024-05-06T07:08:09.123456Z",
        "properties": {"page": "/a", "amount": 5},
    } | changes


def counts(answer: Answer) -> tuple[int, ...]:
    assert answer.status == 200, answer.body
    found = tuple(answer.json[name] for name in COUNTS)
    assert found[0] == sum(found[1:])
    assert len(answer.json["results"]) == found[0] - found[1]
    return found


async def send(client: Client, *events: Any) -> Answer:
    return await client.post("/events", json={"events": events})


async def listed(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/events?{query}")
    assert answer.status == 200, answer.body
    items: list[dict[str, Any]] = answer.json["items"]
    return items


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
    assert {item["event_id"] for item in await listed(user.client)} == {ids[1], ids[2], ids[3]}


async def test_an_event_comes_back_as_it_was_sent(user: User) -> None:
    sent = event(
        5,
        user_id=-(2**63),
        event_type="Übergabe " * 11,
        occurred_at="2024-05-06T09:08:09.000001+02:00",
        properties={"a": [1, 1.5, None, True, {"ключ": "😀"}], "": 2**64 - 1},
    )
    assert counts(await send(user.client, sent)) == (1, 1, 0, 0, 0)
    assert await listed(user.client) == [sent | {"occurred_at": "2024-05-06T07:08:09.000001Z"}]


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
    assert await listed(user.client) == [event(1)]


async def test_of_an_id_within_one_batch_the_first_event_counts(user: User) -> None:
    answer = await send(user.client, event(1), event(1, user_id=8), event(2), event(1), event(2, user_id=8))
    assert counts(answer) == (5, 2, 1, 2, 0)
    statuses = [(one["index"], one["status"]) for one in answer.json["results"]]
    assert statuses == [(1, "conflict"), (3, "duplicate"), (4, "conflict")]
    # Against what is stored, if the id was known before.
    answer = await send(user.client, event(1, user_id=8), event(1))
    assert [one["status"] for one in answer.json["results"]] == ["conflict", "duplicate"]


async def test_properties_may_be_left_out(user: User) -> None:
    sent = event(1)
    del sent["properties"]
    assert counts(await send(user.client, sent)) == (1, 1, 0, 0, 0)
    assert (await listed(user.client))[0]["properties"] == {}


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"event_id": "nonsense"}, "/event_id"),
        ({"event_id": None}, "/event_id"),
        ({"event_id": 5}, "/event_id"),
        ({"user_id": "7"}, "/user_id"),
        ({"user_id": 7.0}, "/user_id"),
        ({"user_id": True}, "/user_id"),
        ({"user_id": None}, "/user_id"),
        ({"user_id": 2**63}, "/user_id"),
        ({"user_id": -(2**63) - 1}, "/user_id"),
        ({"event_type": "x" * 101}, "/event_type"),
        ({"event_type": "a\0b"}, "/event_type"),
        ({"event_type": 5}, "/event_type"),
        ({"occurred_at": "1969-12-31T23:59:59.999999Z"}, "/occurred_at"),
        ({"occurred_at": rfc3339(NOW + timedelta(days=1, minutes=5))}, "/occurred_at"),
        ({"occurred_at": "2024-02-30T00:00:00Z"}, "/occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+05:00"}, "/occurred_at"),
        ({"occurred_at": 1714979289}, "/occurred_at"),
        ({"properties": []}, "/properties"),
        ({"properties": "{}"}, "/properties"),
        ({"properties": None}, "/properties"),
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
    assert len(await listed(user.client)) == 2


def bodies(events: Sequence[dict[str, Any]]) -> list[tuple[dict[str, str], bytes]]:
    lines = [json.dumps(one).encode() for one in events]
    return [(JSON, json.dumps({"events": events}).encode()), (NDJSON, b"\n".join(lines))]


@pytest.mark.parametrize("name", ["event_id", "user_id", "event_type", "occurred_at"])
async def test_the_other_fields_are_needed(user: User, name: str) -> None:
    sent = event(1)
    del sent[name]
    answer = await send(user.client, sent)
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
    assert len(await listed(user.client)) == 1


async def test_deep_properties_are_an_invalid_event(user: User) -> None:
    deep = json.dumps(event(1)).replace('"/a"', "[" * 150 + "]" * 150)
    body = f'{{"events": [{deep}, {json.dumps(event(2))}]}}'
    answer = await user.client.post("/events", data=body, headers=JSON)
    assert counts(answer) == (2, 1, 0, 0, 1)
    deeper = body.replace("[" * 150, "[" * 7000).replace("]" * 150, "]" * 7000)
    assert (await user.client.post("/events", data=deeper, headers=JSON)).status in (200, 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"events": [NaN]}',
        b'{"events": [{"properties": NaN}]}',
        b'{"events": []} x',
        b'{"events": ["\xff"]}',
        b'\xef\xbb\xbf{"events": []}',
    ],
)
async def test_a_body_that_is_no_json_is_refused_whole(user: User, body: bytes) -> None:
    answer = await user.client.post("/events", data=body, headers=JSON)
    assert (answer.status, answer.code) == (400, "bad_json")


async def test_a_lone_surrogate_is_refused(user: User) -> None:
    for place in ({"event_type": "\ud800"}, {"properties": {"a": "\udc00"}}):
        assert (await send(user.client, event(1, **place))).status == 400
        line = json.dumps(event(1, **place)).encode()
        answer = await user.client.post("/events", data=line, headers=NDJSON)
        assert counts(answer) == (1, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("[]", ""),
        ("5", ""),
        ("{}", "/events"),
        ('{"events": []}', "/events"),
        ('{"events": {}}', "/events"),
        ('{"events": null}', "/events"),
        ('{"events": [1], "more": 1}', "/more"),
        (json.dumps({"events": [1] * 10_001}), "/events"),
    ],
)
async def test_what_is_no_list_of_events_is_invalid(user: User, body: str, pointer: str) -> None:
    answer = await user.client.post("/events", data=body, headers=JSON)
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_a_batch_may_hold_ten_thousand_events(user: User) -> None:
    body = json.dumps({"events": [event(number) for number in range(10_000)]}).encode()
    for expected in ((10_000, 10_000, 0, 0, 0), (10_000, 0, 10_000, 0, 0)):
        answer = await user.client.post("/events", data=io.BytesIO(body), headers=JSON)
        assert counts(answer) == expected


async def test_a_bad_line_is_one_invalid_event(user: User) -> None:
    good = [json.dumps(event(number)).encode() for number in range(3)]
    lines = [good[0], b"{", b"", b"  \r", b"\xff", b"NaN", good[1] + b"\r", b"[]", good[2], b""]
    answer = await user.client.post("/events", data=b"\n".join(lines), headers=NDJSON)
    assert counts(answer) == (7, 3, 0, 0, 4)
    assert [one["index"] for one in answer.json["results"]] == [1, 2, 3, 5]


@pytest.mark.parametrize("body", [b"", b"\n \n", b"{}\n" * 10_001])
async def test_no_lines_or_too_many_are_invalid(user: User, body: bytes) -> None:
    answer = await user.client.post("/events", data=body, headers=NDJSON)
    assert (answer.status, answer.code) == (422, "invalid")


async def test_a_batch_may_come_packed(user: User) -> None:
    for headers, body in bodies([event(1)]):
        packed = gzip.compress(body)
        answer = await user.client.post(
            "/events", data=packed, headers=headers | {"Content-Encoding": "gzip"}
        )
        assert counts(answer)[0] == 1
    assert len(await listed(user.client)) == 1


async def test_a_packed_batch_that_breaks_off_stores_nothing(user: User) -> None:
    packed = gzip.compress(b"\n".join(json.dumps(event(number)).encode() for number in range(100)))
    headers = NDJSON | {"Content-Encoding": "gzip"}
    for cut in (len(packed) // 2, len(packed) - 1):
        assert (await user.client.post("/events", data=packed[:cut], headers=headers)).status == 400
    assert await listed(user.client) == []


async def test_a_bomb_is_too_large(user: User) -> None:
    packed = gzip.compress(b" " * (33 * 2**20))
    headers = JSON | {"Content-Encoding": "gzip"}
    assert (await user.client.post("/events", data=packed, headers=headers)).status == 413


async def test_a_batch_of_another_type_is_refused(user: User) -> None:
    answer = await user.client.post("/events", data=b"a=1", headers={"Content-Type": "text/plain"})
    assert answer.status == 415


async def test_batches_have_a_limit_of_their_own(user: User, server: RunningApp, deps: Deps) -> None:
    server.use(replace(deps, limits=RateLimits(default=1, ingest=2)))
    answer = await send(user.client, event(1))
    assert answer.headers["RateLimit-Policy"] == '"ingest";q=2;w=60'
    assert (await send(user.client, event(1))).status == 200
    assert (await send(user.client, event(1))).code == "rate_limited"
    assert (await user.client.get("/events")).status == 200


async def test_batches_that_come_at_once_are_stored_once(
    add_user: Any, server: RunningApp, deps: Deps, committed_db: Database
) -> None:
    committed = replace(deps, db=committed_db, replica=committed_db)
    user = await add_user("Anna")
    async with committed_db.transaction() as session:
        await session.execute(insert(Account).values(id=user.id, login="a", login_key="a", password_hash="x"))
        later = datetime.now(UTC) + timedelta(minutes=5)
        await session.execute(
            insert(Session).values(id=user.session_id, account_id=user.id, expires_at=later)
        )
    server.use(committed)
    events = [event(number, user_id=number) for number in range(500)]
    batches = [events, events[::-1], events[250:] + events[:250]] * 2
    answers = await asyncio.gather(*(send(user.client, *batch) for batch in batches))
    found = [counts(answer) for answer in answers]
    assert sum(created for _, created, *_ in found) == 500
    assert all(conflicts == invalid == 0 for *_, conflicts, invalid in found)
    export = await user.client.get("/events/export")
    assert len(export.body.splitlines()) == 500


@pytest.fixture
async def mixed(user: User) -> list[dict[str, Any]]:
    """Events of many kinds, newest first, some at the same instant."""
    events = [
        event(
            number,
            user_id=number % 3,
            event_type=("view", "cart")[number % 2],
            occurred_at=f"2024-05-0{1 + number // 6}T00:00:00Z",
            properties={
                "n": number % 4,
                "text": str(number % 4),
                "list": [number % 2, 9],
                "flag": number > 9,
            },
        )
        for number in range(20)
    ]
    await send(user.client, *events)
    return sorted(events, key=lambda one: (one["occurred_at"], one["event_id"]), reverse=True)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", lambda _: True),
        ("user_id=1", lambda one: one["user_id"] == 1),
        ("event_type=cart", lambda one: one["event_type"] == "cart"),
        ("from=2024-05-02T00:00:00Z", lambda one: one["occurred_at"] >= "2024-05-02T00:00:00Z"),
        ("to=2024-05-02T00:00:00Z", lambda one: one["occurred_at"] < "2024-05-02T00:00:00Z"),
        ("property.n=2", lambda one: one["properties"]["n"] == 2),
        ("property.n=2.0", lambda one: one["properties"]["n"] == 2),
        ("property.n=%222%22", lambda _: False),
        ("property.text=2", lambda one: one["properties"]["text"] == "2"),
        ("property.text=%222%22", lambda one: one["properties"]["text"] == "2"),
        ("property.flag=true", lambda one: one["properties"]["flag"]),
        ("property.list=[1,9]", lambda one: one["properties"]["list"] == [1, 9]),
        ("property.list=[9]", lambda _: False),
        ("property.list=9", lambda _: False),
        ("property.none=1", lambda _: False),
        (
            "property.n=1&property.flag=false",
            lambda one: one["properties"]["n"] == 1 and not one["properties"]["flag"],
        ),
        (
            "user_id=2&event_type=view&property.n=0",
            lambda one: one["user_id"] == 2 and one["properties"]["n"] == 0,
        ),
    ],
)
async def test_events_are_filtered(user: User, mixed: list[dict[str, Any]], query: str, wanted: Any) -> None:
    expected = [one for one in mixed if wanted(one)]
    assert await listed(user.client, f"{query}&limit=1000") == expected
    exported = await user.client.get(f"/events/export?{query}")
    assert [json.loads(line) for line in exported.body.splitlines()] == expected
    table = await user.client.get(f"/events/export?format=csv&{query}")
    rows = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
    assert [
        row | {"user_id": int(row["user_id"]), "properties": json.loads(row["properties"])} for row in rows
    ] == expected


async def test_pages_of_events_join(user: User, mixed: list[dict[str, Any]]) -> None:
    found, cursor, pages = [], "", 0
    while True:
        answer = (await user.client.get(f"/events?limit=7&{cursor}")).json
        found += answer["items"]
        pages += 1
        if answer["next"] is None:
            break
        cursor = urlencode({"cursor": answer["next"]})
    assert (found, pages) == (mixed, 3)
    assert await listed(user.client, "offset=15") == mixed[15:]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("user_id=x", "/user_id"),
        ("user_id=9223372036854775808", "/user_id"),
        ("event_type=", "/event_type"),
        ("from=yesterday", "/from"),
        ("from=2024-05-02T00:00:00Z&to=2024-05-01T00:00:00Z", "/to"),
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("cursor=WzFd", "/cursor"),
        ("properties=1", "/properties"),
        ("property.a=%00", "/property.*"),
        ("property.a=1&property.a=2", "/property.a"),
        ("color=red", "/color"),
    ],
)
async def test_wrong_filters_are_named(user: User, query: str, pointer: str) -> None:
    assert (await user.client.get(f"/events?{query}")).pointers == [pointer]


async def test_odd_property_filters_do_no_harm(user: User, mixed: list[dict[str, Any]]) -> None:
    for value in ("NaN", "1e999", "1" * 400, "[" * 1900, '"\\ud800"', '"\\u0000"', "{}", "null", "'", "\\"):
        answer = await user.client.get("/events", params={"property.n": value})
        assert (answer.status, answer.json["items"]) == (200, []), value


async def test_exports_take_the_same_filters_only(user: User) -> None:
    assert (await user.client.get("/events/export?limit=5")).pointers == ["/limit"]
    assert (await user.client.get("/events/export?format=xml")).pointers == ["/format"]
    head = await user.client.request("HEAD", "/events/export?format=csv")
    assert (head.status, head.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
