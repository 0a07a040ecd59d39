"""Visits over HTTP: what is accepted, what is refused, and that a retry is harmless."""

import gzip
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.deps import Deps, RateLimits
from service.logs.url_rules import read_rules
from tests.support.http_client import Answer, Client, User
from tests.support.http_server import RunningApp

FIELDS = {
    "id",
    "user_id",
    "page_url",
    "timestamp",
    "country",
    "source",
    "kind",
    "category",
    "product",
    "method",
    "status",
    "bytes",
    "referrer",
    "browser",
    "os",
    "device",
    "traffic",
}
ID = "018f3a5e-7a10-7cc3-98a3-1a2b3c4d5e6f"
SALMON = "https://shop.example/fresh_fish/salmon/"


async def record(client: Client, **visit: Any) -> dict[str, Any]:
    answer = await client.post("/visits", json=visit)
    assert answer.status == 201, answer.body
    assert (await client.get(answer.headers["Location"])).json == answer.json
    visit_response: dict[str, Any] = answer.json
    return visit_response


async def send(client: Client, body: Any) -> Answer:
    """Send a body that the OpenAPI document does not allow."""
    return await client.post(
        "/visits", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )


async def list_visits(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/visits{query}")
    assert answer.status == 200, answer.body
    items: list[dict[str, Any]] = answer.json["items"]
    return items


async def test_a_visit_is_told_as_it_is_listed(user: User) -> None:
    before = datetime.now(UTC)
    visit = await record(user.client, page_url=SALMON)
    assert visit.keys() == FIELDS
    assert before <= datetime.fromisoformat(visit["timestamp"]) <= datetime.now(UTC)
    assert uuid.UUID(visit["id"]).version == 7
    assert visit["user_id"] == user.id
    expected = {"kind": "product", "category": "fresh_fish", "product": "salmon", "source": "api"}
    assert {name: visit[name] for name in expected} == expected
    assert await list_visits(user.client) == [visit]


async def test_what_a_client_says_of_a_visit_is_kept(user: User, other_user: User) -> None:
    fields = {"page_url": "/about", "timestamp": "2020-02-29T01:02:03.000004+02:00", "user_id": -5, "id": ID}
    visit = await record(user.client, **fields)
    assert visit["timestamp"] == "2020-02-28T23:02:03.000004Z"
    assert (visit["id"], visit["user_id"], visit["page_url"]) == (ID, -5, "/about")
    assert await list_visits(other_user.client) == [visit]


@pytest.mark.parametrize(
    ("again", "status"),
    [
        ({}, 200),
        ({"id": ID.upper()}, 200),
        ({"page_url": "/other"}, 409),
        ({"timestamp": "2020-01-01T00:00:00Z"}, 409),
        ({"user_id": 77}, 409),
    ],
)
@pytest.mark.parametrize("timestamp", [{}, {"timestamp": "2021-05-05T05:05:05.5Z"}])
async def test_a_retry_is_harmless_and_a_contradiction_changes_nothing(
    user: User, timestamp: dict[str, str], again: dict[str, Any], status: int
) -> None:
    fields = {"page_url": "/about", "id": ID, **timestamp}
    visit = await record(user.client, **fields)
    answer = await user.client.post("/visits", json={**fields, **again})
    assert answer.status == status
    if status == 200:
        assert answer.json == visit
    else:
        assert answer.code == "conflict"
    assert await list_visits(user.client) == [visit]


async def test_an_id_is_not_shared_by_two_users(user: User, other_user: User) -> None:
    await record(user.client, page_url="/about", id=ID)
    assert (await other_user.client.post("/visits", json={"page_url": "/about", "id": ID})).status == 409


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({}, "/page_url"),
        ({"page_url": ""}, "/page_url"),
        ({"page_url": "about"}, "/page_url"),
        ({"page_url": "ftp://shop.example/"}, "/page_url"),
        ({"page_url": "https:///path"}, "/page_url"),
        ({"page_url": "/" + "a" * 2048}, "/page_url"),
        ({"page_url": "/a\0b"}, "/page_url"),
        ({"page_url": "/a\nb"}, "/page_url"),
        ({"page_url": None}, "/page_url"),
        ({"page_url": 5}, "/page_url"),
        ({"page_url": "/", "user_id": 2**63}, "/user_id"),
        ({"page_url": "/", "user_id": True}, "/user_id"),
        ({"page_url": "/", "user_id": "5.0"}, "/user_id"),
        ({"page_url": "/", "id": "5"}, "/id"),
        ({"page_url": "/", "timestamp": "1969-12-31T23:59:59Z"}, "/timestamp"),
        ({"page_url": "/", "timestamp": "2999-12-31T23:59:59Z"}, "/timestamp"),
        ({"page_url": "/", "timestamp": 5}, "/timestamp"),
        ({"page_url": "/", "user": 5}, "/user"),
        ([], "/visits"),
        ("/", ""),
    ],
)
async def test_a_wrong_visit_is_refused_and_told_why(user: User, wrong: Any, pointer: str) -> None:
    answer = await user.client.post("/visits", json=wrong)
    assert (answer.status, answer.pointers) == (422, [pointer])
    assert await list_visits(user.client) == []
    if isinstance(wrong, dict):
        answer = await send(user.client, {"visits": [wrong, {"page_url": "/"}]})
        assert (answer.status, answer.json["invalid"], answer.json["created"]) == (200, 1, 1)
        [verdict] = answer.json["results"]
        assert (verdict["index"], verdict["status"]) == (0, "invalid")
        assert [error["pointer"] for error in verdict["errors"]] == [f"/visits/0{pointer}"]


@pytest.mark.parametrize(
    ("page_url", "normal"),
    [
        *((url, url) for url in ("/", "//", "/?a=b#c", "/рыба/", "/" + "ж" * 2047)),
        ("HTTPS://Shop.example", "https://shop.example/"),
        ("http://a?b", "http://a/?b"),
        ("/a b", "/a%20b"),
    ],
)
async def test_urls_and_paths_are_kept_in_their_normal_form(user: User, page_url: str, normal: str) -> None:
    assert (await record(user.client, page_url=page_url))["page_url"] == normal
    assert [visit["page_url"] for visit in await list_visits(user.client)] == [normal]


async def test_a_time_may_be_a_day_ahead_and_as_old_as_1970(user: User) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=23, minutes=59)
    for time in ("1970-01-01T00:00:00Z", ahead.isoformat()):
        await record(user.client, page_url="/", timestamp=time)


@pytest.mark.parametrize("body", [{"visits": []}, {"visits": {}}, {"visits": [{}], "page_url": "/"}])
async def test_what_is_no_list_of_visits_is_refused(user: User, body: Any) -> None:
    assert (await user.client.post("/visits", json=body)).status == 422


async def test_a_body_that_is_no_json_is_400(user: User) -> None:
    for body in (b'{"page_url": NaN}', b"{", b"", b'{"page_url": "/\xff"}'):
        answer = await user.client.post("/visits", data=body, headers={"Content-Type": "application/json"})
        assert (answer.status, answer.code) == (400, "bad_json")


async def test_each_visit_of_a_bulk_gets_its_verdict(user: User) -> None:
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    visit = await record(user.client, page_url="/kept", id=first)
    answer = await send(
        user.client,
        {
            "visits": [
                {"page_url": "/new", "id": second},
                {"page_url": "/new", "id": second},
                {"page_url": "/else", "id": second},
                {"page_url": "/kept", "id": first, "timestamp": visit["timestamp"]},
                {"page_url": "/kept", "id": first, "user_id": 12345},
                {"page_url": "bad", "timestamp": "never"},
                {"page_url": "/fresh_fish/"},
                None,
                7,
            ]
        },
    )
    assert answer.status == 200
    results = answer.json["results"]
    counts = {name: value for name, value in answer.json.items() if name != "results"}
    assert counts == {"received": 9, "created": 2, "duplicates": 2, "conflicts": 2, "invalid": 3}
    assert [(one["index"], one["status"], one.get("id")) for one in results] == [
        (1, "duplicate", second),
        (2, "conflict", second),
        (3, "duplicate", first),
        (4, "conflict", first),
        (5, "invalid", None),
        (7, "invalid", None),
        (8, "invalid", None),
    ]
    pointers = [[error["pointer"] for error in one["errors"]] for one in results if "errors" in one]
    assert pointers == [["/visits/5/page_url", "/visits/5/timestamp"], ["/visits/7"], ["/visits/8"]]
    assert sorted(visit["page_url"] for visit in await list_visits(user.client)) == [
        "/fresh_fish/",
        "/kept",
        "/new",
    ]


@pytest.mark.slow
async def test_ten_thousand_visits_are_taken_gzipped_and_one_more_is_not(user: User) -> None:
    visits = [{"page_url": f"/p/{number % 100}/"} for number in range(10_001)]
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    async def send_gzipped(count: int) -> tuple[int, Any]:
        body = gzip.compress(json.dumps({"visits": visits[:count]}).encode(), 1)
        answer = await user.client.post("/visits", data=body, headers=headers)
        return answer.status, answer.json.get("created")

    assert await send_gzipped(10_001) == (422, None)
    assert await send_gzipped(10_000) == (200, 10_000)


async def test_visits_have_a_limit_of_their_own(server: RunningApp, deps: Deps, user: User) -> None:
    server.use(replace(deps, limits=RateLimits(default=1, ingest=3)))
    answers = [await user.client.post("/visits", json={"page_url": "/"}) for _ in range(4)]
    assert [answer.status for answer in answers] == [201, 201, 201, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"ingest";q=3;w=60'


async def test_pages_are_told_by_the_grammar_of_the_log(user: User) -> None:
    kinds = {
        "/": "main",
        "https://other.example/": "main",
        "/fresh_fish": "category",
        "/fresh_fish/?utm=1": "category",
        "/fresh_fish/salmon": "product",
        "/cart?goods_id=1&amount=2&cart_id=3": "cart",
        "https://a.example/pay?cart_id=3&user_id=9": "pay",
        "/success_pay_3/": "success",
        "/cart?goods_id=1&amount=0&cart_id=3": "other",
        "/cart": "other",
        f"/pay?user_id={2**63}&cart_id=1": "other",
        "/success_pay_x": "other",
        "/a/b/c": "other",
    }
    visits = [await record(user.client, page_url=page_url) for page_url in kinds]
    assert {visit["page_url"]: visit["kind"] for visit in visits} == kinds
    assert {visit["user_id"] for visit in visits} == {user.id}
    assert await list_visits(user.client) == visits[::-1]


async def test_rules_hold_for_live_visits(server: RunningApp, deps: Deps, user: User, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[[page]]\nkind = 'category'\npath = '/list/(?P<category>[^/]+)'\n")
    server.use(replace(deps, logs=replace(deps.logs, rules=read_rules(rules))))
    visits = [
        await record(user.client, page_url=page_url)
        for page_url in ("/list/fish/?page=2", "https://a.example/list/fish", "/fish/")
    ]
    assert [(visit["kind"], visit["category"]) for visit in visits] == [
        ("category", "fish"),
        ("category", "fish"),
        ("other", None),
    ]
    viewed = await user.client.get("/pages/list/fish")
    assert viewed.status == 200
    assert (await list_visits(user.client))[0]["category"] == "fish"
