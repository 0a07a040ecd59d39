"""GET /events and /events/export: filters, pages and forms."""

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.event_requests import event, list_events, send
from tests.support.http_client import User


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
    ("query", "matches"),
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
async def test_events_are_filtered(user: User, mixed: list[dict[str, Any]], query: str, matches: Any) -> None:
    expected = [one for one in mixed if matches(one)]
    assert await list_events(user.client, f"{query}&limit=1000") == expected
    exported = await user.client.get(f"/events/export?{query}")
    assert [json.loads(line) for line in exported.body.splitlines()] == expected
    table = await user.client.get(f"/events/export?format=csv&{query}")
    rows = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
    assert [
        row | {"user_id": int(row["user_id"]), "properties": json.loads(row["properties"])} for row in rows
    ] == expected


async def test_pages_of_events_join(user: User, mixed: list[dict[str, Any]]) -> None:
    events, cursor, pages = [], "", 0
    while True:
        answer = (await user.client.get(f"/events?limit=7&{cursor}")).json
        events += answer["items"]
        pages += 1
        if answer["next"] is None:
            break
        cursor = urlencode({"cursor": answer["next"]})
    assert (events, pages) == (mixed, 3)
    assert await list_events(user.client, "offset=15") == mixed[15:]


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
        ("property.a=%00", "/property.a"),
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
