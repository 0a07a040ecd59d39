"""Lists, statistics and exports of visits over HTTP, and what live visits change elsewhere."""

import csv
import io
import json
from typing import Any

import pytest

from db.database import Database
from tests.support.http_client import Client, User

SALMON = "/fresh_fish/salmon/"
VISITS = [
    {"page_url": SALMON, "timestamp": "2024-03-31T00:59:00Z", "user_id": 1},
    {"page_url": SALMON, "timestamp": "2024-03-31T01:00:00Z", "user_id": 2},
    {"page_url": "/caviar/", "timestamp": "2024-03-31T22:00:00Z", "user_id": 2},
]


@pytest.fixture
async def recorded(user: User) -> Client:
    """Three visits, and a fourth one of another day."""
    answer = await user.client.post("/visits", json={"visits": VISITS})
    assert answer.json["created"] == 3
    await user.client.get("/pages/about")
    return user.client


@pytest.mark.parametrize(
    ("query", "times"),
    [
        ("from=2024-03-31T01:00:00Z&to=2024-03-31T22:00:00Z", [1]),
        ("user_id=2&source=api", [2, 1]),
        (f"page_url={SALMON}", [1, 0]),
        ("category=caviar", [2]),
        ("category=nothing", []),
        ("category=caviar&user_id=1", []),
        ("country=us", []),
        ("source=log", []),
        ("from=2024-03-31T01:00:00Z&to=2024-03-31T01:00:00Z", []),
        ("to=2025-01-01T00:00:00Z&limit=1", [2]),
        ("to=2025-01-01T00:00:00Z&offset=1", [1, 0]),
    ],
)
async def test_a_filter_of_visits_keeps_those_that_fit(
    recorded: Client, query: str, times: list[int]
) -> None:
    answer = await recorded.get(f"/visits?{query}")
    assert [visit["timestamp"] for visit in answer.json["items"]] == [
        VISITS[index]["timestamp"] for index in times
    ]


async def test_pages_of_a_list_follow_each_other(recorded: Client) -> None:
    whole = (await recorded.get("/visits")).json["items"]
    first = await recorded.get("/visits?limit=3")
    assert first.headers["Link"] == f'</visits?limit=3&cursor={first.json["next"]}>; rel="next"'
    second = await recorded.get(f"/visits?limit=3&cursor={first.json['next']}")
    assert first.json["items"] + second.json["items"] == whole
    assert (len(whole), second.json["next"]) == (4, None)


@pytest.mark.parametrize("path", ["/visits", "/visits/stats", "/visits/export"])
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("user_id=x", "/user_id"),
        ("user_id=9223372036854775808", "/user_id"),
        ("source=web", "/source"),
        ("country=USA", "/country"),
        ("traffic=people", "/traffic"),
        ("status=99", "/status"),
        ("status=ok", "/status"),
        ("browser=", "/browser"),
        ("from=yesterday", "/from"),
        ("from=2024-01-02T00:00:00Z&to=2024-01-01T00:00:00Z", "/to"),
        ("page_url=", "/page_url"),
        ("page_url=%00", "/page_url"),
        ("colour=red", "/colour"),
    ],
)
async def test_wrong_filters_are_refused(user: User, path: str, query: str, pointer: str) -> None:
    answer = await user.client.get(f"{path}?{query}")
    assert (answer.status, answer.pointers) == (422, [pointer])


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("group_by=colour", "/group_by"),
        ("group_by=page,page", "/group_by"),
        ("group_by=page,user,day", "/group_by"),
        ("group_by=", "/group_by"),
        ("tz=Mars/Olympus", "/tz"),
        ("limit=1001", "/limit"),
        ("compare=last", "/compare"),
        ("compare=previous&from=2024-01-01", "/to"),
        ("compare=previous&to=2024-01-01", "/from"),
        ("cursor=x", "/cursor"),
    ],
)
async def test_wrong_groups_are_refused(user: User, query: str, pointer: str) -> None:
    answer = await user.client.get(f"/visits/stats?{query}")
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_statistics_name_what_was_asked_for(recorded: Client) -> None:
    until = "to=2025-01-01T00:00:00Z"
    answer = await recorded.get(f"/visits/stats?group_by=day,page&tz=Europe/Berlin&{until}")
    assert answer.json == {
        "items": [
            {
                "day": "2024-03-30T23:00:00Z",
                "page_url": SALMON,
                "visits": 2,
                "visitors": 1,
                "first": "2024-03-31T00:59:00Z",
                "last": "2024-03-31T01:00:00Z",
            },
            {
                "day": "2024-03-31T22:00:00Z",
                "page_url": "/caviar/",
                "visits": 1,
                "visitors": 1,
                "first": "2024-03-31T22:00:00Z",
                "last": "2024-03-31T22:00:00Z",
            },
        ],
        "next": None,
    }
    hours = await recorded.get(f"/visits/stats?group_by=hour&tz=Europe/Berlin&{until}")
    assert [item["hour"] for item in hours.json["items"]] == [
        "2024-03-31T00:00:00Z",
        "2024-03-31T01:00:00Z",
        "2024-03-31T22:00:00Z",
    ]
    countries = await recorded.get("/visits/stats?group_by=country")
    assert [(item["country"], item["visits"]) for item in countries.json["items"]] == [(None, 4)]
    assert (await recorded.get("/visits/stats")).json["items"][0]["visits"] == 4
    for ends in ("from=0001-01-01T00:00:00Z", "to=9999-12-31T23:59:59.999999Z"):
        every = await recorded.get(f"/visits/stats?group_by=month,week&tz=Pacific/Kiritimati&{ends}")
        assert sum(item["visits"] for item in every.json["items"]) == 4


async def test_without_groups_there_is_one_item_of_all_visits_even_of_none(recorded: Client) -> None:
    period = "from=2024-03-31T12:00:00Z&to=2024-04-01T00:00:00Z"
    [item] = (await recorded.get(f"/visits/stats?{period}&compare=previous")).json["items"]
    times = {"first": "2024-03-31T22:00:00Z", "last": "2024-03-31T22:00:00Z"}
    assert item == {"visits": 1, "visitors": 1, **times, "previous": {"visits": 2, "visitors": 1}}
    for query in ("source=log", "category=nothing"):
        [item] = (await recorded.get(f"/visits/stats?{query}&{period}&compare=previous")).json["items"]
        none = {"visits": 0, "visitors": 0}
        assert item == {**none, "first": None, "last": None, "previous": none}
    assert (await recorded.get("/visits/stats?source=log&group_by=kind")).json["items"] == []


async def test_an_hour_is_compared_with_that_at_its_place_in_the_period_before(recorded: Client) -> None:
    period = "from=2024-03-31T20:00:00Z&to=2024-04-01T17:00:00Z"
    items = (await recorded.get(f"/visits/stats?{period}&group_by=hour&compare=previous")).json["items"]
    assert [(item["hour"], item["previous"]) for item in items] == [
        ("2024-03-31T22:00:00Z", {"visits": 1, "visitors": 1})
    ]


async def test_statistics_go_on_where_a_page_ends(recorded: Client) -> None:
    whole = (await recorded.get("/visits/stats?group_by=user")).json["items"]
    first = (await recorded.get("/visits/stats?group_by=user&limit=2")).json
    rest = (await recorded.get(f"/visits/stats?group_by=user&limit=2&cursor={first['next']}")).json
    assert (first["items"] + rest["items"], rest["next"]) == (whole, None)


async def test_statistics_that_did_not_change_are_not_sent_again(recorded: Client) -> None:
    answer = await recorded.get("/visits/stats?group_by=page")
    headers = {"If-None-Match": answer.headers["ETag"]}
    assert (await recorded.get("/visits/stats?group_by=page", headers=headers)).status == 304
    await recorded.get("/pages/about")
    assert (await recorded.get("/visits/stats?group_by=page", headers=headers)).status == 200


async def test_live_visits_count_in_the_reports(user: User) -> None:
    for user_id, cart_id in ((901, 1), (901, 2), (902, 3)):
        for page_url in (
            "/semi_manufactures/pelmeni/",
            f"/cart?goods_id=1&amount=1&cart_id={cart_id}",
            "/caviar/red/",
            f"/cart?goods_id=2&amount=1&cart_id={cart_id}",
            f"/pay?user_id={user_id}&cart_id={cart_id}",
            f"/success_pay_{cart_id}/",
        ):
            path = f"/pages{page_url}" if cart_id == 2 else "/visits"
            response = (
                user.client.get(path) if cart_id == 2 else user.client.post(path, json={"page_url": page_url})
            )
            assert (await response).status in (200, 201)
    await user.client.post("/visits", json={"page_url": "/cart?goods_id=1&amount=1&cart_id=4"})

    async def answer(report: int, query: str) -> Any:
        return (await user.client.get(f"/report/{report}?{query}")).json["answer"]

    for source in ("api", "all"):
        assert await answer(4, f"source={source}") == 19
        assert await answer(5, f"source={source}") == "caviar"
        assert await answer(6, f"source={source}") == 1
        assert await answer(7, f"source={source}") == 1
    assert await answer(3, "source=log&category=caviar&pages=all") is None
    assert await answer(3, "source=api&category=caviar&pages=all") is not None


async def test_a_deleted_user_leaves_its_visits_behind(user: User, other_user: User, admin: User) -> None:
    await user.client.get("/pages/about")
    await user.client.post("/visits", json={"page_url": "/about"})
    users = (await admin.client.get(f"/admin/users?q={user.login}")).json["items"]
    assert [(one["id"], one["visits"]) for one in users] == [(user.id, 2)]
    activity = (await admin.client.get(f"/admin/users/{user.id}/activity")).json["items"]
    assert [(one["type"], one["detail"]) for one in activity if one["type"] == "visit"] == [
        ("visit", "/about")
    ] * 2
    assert (await user.client.delete("/profile")).status == 204
    visits = (await other_user.client.get("/visits")).json["items"]
    assert [visit["user_id"] for visit in visits] == [user.id, user.id]


async def test_a_key_records_visits_as_its_owner(client: Client, user: User) -> None:
    answer = await user.client.post("/keys", json={"name": "shop", "scopes": ["visits:write"]})
    shop = client.signed_in(answer.json["key"])
    assert (await shop.post("/visits", json={"page_url": "/"})).json["user_id"] == user.id
    assert (await shop.get("/visits")).code == "out_of_scope"


class TestExport:
    """An export holds a connection of its own, so what it reads must be committed."""

    @pytest.fixture
    def db(self, committed_db: Database) -> Database:
        return committed_db

    async def test_an_export_is_the_list(self, recorded: Client) -> None:
        items = (await recorded.get("/visits")).json["items"]
        lines = await recorded.get("/visits/export")
        assert lines.headers["Content-Type"] == "application/x-ndjson"
        assert [json.loads(line) for line in lines.body.splitlines()] == items
        table = await recorded.get("/visits/export?format=csv")
        assert table.headers["Content-Disposition"] == 'attachment; filename="visits.csv"'
        rows = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
        assert rows == [
            {name: "" if value is None else str(value) for name, value in visit.items()} for visit in items
        ]

    async def test_an_export_takes_the_filters_of_the_list(self, recorded: Client) -> None:
        for query in ("user_id=2", "category=caviar", "category=nothing", "source=page"):
            items = (await recorded.get(f"/visits?{query}")).json["items"]
            lines = (await recorded.get(f"/visits/export?{query}")).body.splitlines()
            assert [json.loads(line) for line in lines] == items
        assert (await recorded.request("HEAD", "/visits/export")).body == b""


async def test_a_page_that_is_asked_for_again_is_the_same_until_a_visit_comes(recorded: Client) -> None:
    answers = [await recorded.get("/visits?limit=2") for _ in range(4)]
    assert {answer.headers["Link"] for answer in answers} == {answers[0].headers["Link"]}
    assert all(answer.json == answers[0].json for answer in answers)
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 4
    await recorded.post("/visits", json={"page_url": "/caviar/"})
    changed = (await recorded.get("/visits?limit=2")).json
    assert changed["items"][0]["page_url"] == "/caviar/"
    assert changed["items"][1] == answers[0].json["items"][0]
