"""Reports over HTTP: their rows, their parameters, and the problems of wrong ones."""

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from clients.geo import Geo
from service.deps import Deps
from tests.support.http_client import User
from tests.support.log_imports import Importer
from tests.support.report_answers import EXPECTED, store_visits

TIMES = {"from": None, "to": None, "tz": "UTC", "source": "all", "traffic": "human", "limit": 10}
OWN: dict[int, dict[str, Any]] = {
    1: {"metric": "requests"},
    2: {"category": "fresh_fish", "pages": "all"},
    3: {"category": "frozen_fish", "pages": "category"},
    4: {},
    5: {"category": "semi_manufactures"},
    6: {"min_age": 0},  # and `compare`, which is told where it is asked for
    7: {},
}


@pytest.fixture
async def visits(deps: Deps, geo: Geo) -> None:
    await store_visits(Importer(deps.db, geo))


@pytest.mark.parametrize("number", EXPECTED)
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_a_report_answers_with_its_rows(user: User, visits: None, number: int, prefix: str) -> None:
    answer = await user.client.get(f"{prefix}/report/{number}")
    body = answer.json
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert list(body) == ["report", "title", "definition", "parameters", "answer", "rows", "as_of"]
    assert body["report"] == number
    assert body["title"]
    assert body["definition"]
    assert body["parameters"] == TIMES | OWN[number]
    assert (body["answer"], body["rows"]) == EXPECTED[number]
    assert body["as_of"] == "2018-08-01T07:20:00Z"


@pytest.mark.parametrize("number", EXPECTED)
async def test_without_data_a_report_has_no_answer_and_no_rows(user: User, number: int) -> None:
    body = (await user.client.get(f"/report/{number}")).json
    assert (body["answer"], body["rows"], body["as_of"]) == (0 if number in (6, 7) else None, [], None)
    assert (await user.client.get(f"/report/{number}?format=csv")).status == 200
    ET.fromstring((await user.client.get(f"/report/{number}?format=svg")).body)


async def test_parameters_are_told_as_they_were_understood(user: User, visits: None) -> None:
    parameters = {
        "from": "2018-08-01T03:00:00+03:00",
        "to": "2018-08-01T00:15:00",
        "tz": "Asia/Kathmandu",
        "source": "log",
        "traffic": "all",
        "limit": "1",
        "category": "semi_manufactures",
        "pages": "product",
    }
    body = (await user.client.get("/report/3", params=parameters)).json
    assert body["parameters"] == {
        "from": "2018-08-01T00:00:00Z",
        "to": "2018-08-01T00:15:00Z",
        "tz": "Asia/Kathmandu",
        "source": "log",
        "traffic": "all",
        "limit": 1,
        "category": "semi_manufactures",
        "pages": "product",
    }
    assert body["answer"] == "night"  # 05:55 there
    assert [row["views"] for row in body["rows"]] == [1]
    again = (await user.client.get("/report/3", params=body["parameters"])).json
    assert again == body


async def test_parameters_change_the_answer(user: User, visits: None) -> None:
    async def answer(path: str) -> Any:
        return (await user.client.get(path)).json["answer"]

    assert await answer("/report/1?source=api") is None
    assert await answer("/report/4?source=api") is None
    assert await answer("/report/1?from=2018-08-01T07:00:00Z") == "Japan"
    assert await answer("/report/4?to=2018-08-01T00:00:00Z") is None
    assert await answer("/report/4?from=2018-08-01T07:15:00Z") == 1
    assert await answer("/report/5?category=fresh_fish") == "semi_manufactures"
    assert await answer("/report/6?min_age=1") == 0
    visitors = (await user.client.get("/report/1?metric=visitors")).json
    assert [(row["country"], row["visitors"]) for row in visitors["rows"]] == [("JP", 1), ("US", 1)]
    assert visitors["answer"] == "Japan"  # a tie, by name


async def test_report_6_tells_what_there_was_in_the_period_before(user: User, visits: None) -> None:
    async def ask(since: str, until: str, **others: str) -> Any:
        period = {"from": f"2018-08-01T{since}:00Z", "to": f"2018-08-01T{until}:00Z"}
        return (await user.client.get("/report/6", params=period | others)).json

    before, now = await ask("00:00", "06:00"), await ask("06:00", "12:00")
    both = await ask("06:00", "12:00", compare="previous")
    assert both["parameters"] == now["parameters"] | {"compare": "previous"}
    assert (both["answer"], both["rows"]) == (now["answer"], now["rows"])
    assert [both["previous"]] == before["rows"]
    assert before["rows"] != now["rows"]
    nothing = (await ask("00:00", "06:00", compare="previous"))["previous"]
    assert nothing == {"carts": 0, "paid": 0, "unpaid": 0, "unpaid_share": 0.0}
    for path in ("?compare=previous", "?compare=previous&from=2018-08-01T00:00:00Z"):
        answer = await user.client.get(f"/report/6{path}")
        assert (answer.status, "/to" in str(answer.json["errors"])) == (422, True)
    assert (await user.client.get("/report/7?compare=previous")).status == 422


@pytest.mark.parametrize("number", ["0", "8", "999", "-1", "one", "9223372036854775807"])
async def test_there_is_no_such_report(user: User, number: str) -> None:
    answer = await user.client.get(f"/report/{number}")
    assert answer.status == 404
    if number in ("0", "8", "999"):
        assert answer.code == "no_such_report"


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("1?tz=Mars/Olympus", "/tz"),
        ("1?tz=europe/berlin", "/tz"),
        ("1?tz=", "/tz"),
        ("1?tz=../UTC", "/tz"),
        ("4?from=2018-08-01T00:10:00Z", "/from"),
        ("4?from=2018-08-01T00:00:01Z", "/from"),
        ("4?to=2018-08-01T00:15:00.000001Z", "/to"),
        ("4?from=yesterday", "/from"),
        ("4?from=2018-08-01T00:00:00Z&to=2018-08-01T00:00:00Z", "/to"),
        ("4?from=2018-08-02T00:00:00Z&to=2018-08-01T00:00:00Z", "/to"),
        ("7?limit=0", "/limit"),
        ("7?limit=1001", "/limit"),
        ("7?limit=ten", "/limit"),
        ("7?metric=requests", "/metric"),
        ("1?metric=clicks", "/metric"),
        ("1?category=caviar", "/category"),
        ("2?pages=some", "/pages"),
        ("2?category=", "/category"),
        ("6?min_age=-1", "/min_age"),
        ("5?source=page", "/source"),
        ("5?format=pdf", "/format"),
    ],
)
async def test_wrong_parameters_are_told_by_name(user: User, path: str, pointer: str) -> None:
    answer = await user.client.get(f"/report/{path}")
    assert (answer.status, answer.pointers) == (422, [pointer])


@pytest.mark.parametrize("year", ["0001", "9999"])
async def test_any_year_can_be_asked_for(user: User, visits: None, year: str) -> None:
    for number in EXPECTED:
        for bound in (f"from={year}-01-01T00:00:00Z", f"to={year}-12-31T23:45:00Z"):
            answer = await user.client.get(f"/report/{number}?{bound}&tz=Pacific/Chatham")
            assert answer.status == 200, (number, bound, answer.body)


async def test_reports_count_people_unless_traffic_says_otherwise(user: User) -> None:
    browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    paths = (
        "/fresh_fish/",
        "/cart?goods_id=1&amount=1&cart_id={}",
        "/pay?user_id=7&cart_id={}",
        "/success_pay_{}/",
    )
    for cart_id, agent in enumerate((browser, "curl/8.5.0", "curl/8.5.0"), 1):
        for path in paths:
            visit = {
                "page_url": path.format(cart_id),
                "timestamp": "2018-08-01T00:10:00Z",
                "address": "8.8.8.8",
            }
            assert (await user.client.post("/visits", json={**visit, "agent": agent})).status == 201

    async def ask(number: int, traffic: str, period: str) -> Any:
        body = (await user.client.get(f"/report/{number}?{traffic}&{period}")).json
        return (
            body["rows"][0].get("requests", body["rows"][0].get("carts")) if body["rows"] else body["answer"]
        )

    for period in ("", "from=2018-08-01T00:00:00Z&to=2018-08-01T00:15:00Z"):
        for number, unit in ((1, 4), (2, 1), (4, 4), (6, 1)):
            answers = [await ask(number, f"traffic={name}", period) for name in ("human", "bot", "all")]
            assert answers == [unit, 2 * unit, 3 * unit], (number, period)
            assert await ask(number, "", period) == unit
        buyers = [
            (await user.client.get(f"/report/7?traffic={name}&{period}")).json["rows"]
            for name in ("human", "bot", "all")
        ]
        assert buyers == [[{"purchases": count, "users": 1}] for count in (1, 2, 3)]
    answer = await user.client.get("/report/1?traffic=people")
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/traffic")


async def test_the_reports_are_listed_with_their_parameters(user: User) -> None:
    items = (await user.client.get("/reports")).json["items"]
    assert [report["report"] for report in items] == list(EXPECTED)
    for report in items:
        defaults = {parameter["name"]: parameter["default"] for parameter in report["parameters"]}
        comparison = {"compare": None} if report["report"] == 6 else {}
        assert defaults == TIMES | OWN[report["report"]] | comparison | {"format": None, "raw": False}
        body = (await user.client.get(f"/report/{report['report']}")).json
        category = OWN[report["report"]].get("category", "")
        assert body["title"] == report["title"].replace("a category", category)
        assert category in body["title"]
        assert body["definition"] == report["definition"]


async def test_as_of_is_the_newest_visit_whatever_is_asked(user: User, visits: None) -> None:
    body = (await user.client.get("/report/4?to=2018-08-01T01:00:00Z")).json
    assert datetime.fromisoformat(body["as_of"]) == datetime(2018, 8, 1, 7, 20, tzinfo=UTC)
