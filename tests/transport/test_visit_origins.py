"""Address, agent and referrer of visits: those that a shop's server reports, else the request's own."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from db.database import Database
from tests.support.http_client import Client, User

ID = "018f3a5e-7a10-7cc3-98a3-1a2b3c4d5e6f"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/117.0.0.0 "
    "Safari/537.36"
)
GOOGLE = "Googlebot/2.1 (+http://www.google.com/bot.html)"
STORED = """
    SELECT host(address), country, agent, referrer,
        browser, os, device, traffic, method, status, bytes FROM visit
"""


async def stored(db: Database) -> list[tuple[Any, ...]]:
    async with db.read() as session:
        return [tuple(row) for row in await session.execute(text(STORED))]


async def record(client: Client, **visit: Any) -> None:
    answer = await client.post("/visits", json={"page_url": "/a", **visit})
    assert answer.status == 201, answer.body


async def test_what_a_shops_server_reports_of_a_visitor_is_stored(user: User, db: Database) -> None:
    await record(user.client, address="8.8.8.8", agent=CHROME, referrer="https://Search.example:8080/?q=1")
    assert await stored(db) == [
        ("8.8.8.8", "US", CHROME, "https://Search.example:8080/?q=1", "Chrome", "Windows", "desktop", "human")
        + (None,) * 3
    ]
    async with db.read() as session:
        assert await session.scalar(text("SELECT host FROM referrer")) == "search.example"


async def test_visits_in_a_list_have_their_own_visitors(user: User, db: Database) -> None:
    visits = [
        {"page_url": "/a", "address": "8.8.8.8", "agent": CHROME},
        {"page_url": "/b", "address": "::ffff:8.8.4.4", "agent": GOOGLE, "referrer": "/a"},
        {"page_url": "/c", "agent": CHROME, "referrer": ""},
    ]
    answer = await user.client.post("/visits", json={"visits": visits})
    assert answer.json["created"] == 3
    rows = sorted(await stored(db), key=repr)
    assert [(row[0], row[3], row[7]) for row in rows] == [
        ("127.0.0.1", None, "human"),
        ("8.8.4.4", "/a", "bot"),
        ("8.8.8.8", None, "human"),
    ]


@pytest.mark.parametrize(
    ("agent", "kept"),
    [
        (CHROME, CHROME),
        (GOOGLE, GOOGLE),
        ("python-requests/2.31", None),  # a program that reports visits
        ("", None),
    ],
)
@pytest.mark.parametrize("route", ["visits", "pages"])
async def test_who_visits_without_saying_so_is_the_caller(
    user: User, db: Database, agent: str, kept: str | None, route: str
) -> None:
    headers = {"User-Agent": agent, "Referer": "https://shop.example/"}
    if route == "pages":
        assert (await user.client.get("/pages/a", headers=headers)).status == 200
    else:
        assert (await user.client.post("/visits", json={"page_url": "/a"}, headers=headers)).status == 201
    [row] = await stored(db)
    assert row[0] == "127.0.0.1"
    assert row[2:4] == (kept, "https://shop.example/")


async def test_what_is_reported_goes_before_the_callers_own(user: User, db: Database) -> None:
    headers = {"User-Agent": CHROME, "Referer": "https://shop.example/"}
    visit = {"page_url": "/a", "agent": GOOGLE, "referrer": ""}
    assert (await user.client.post("/visits", json=visit, headers=headers)).status == 201
    [row] = await stored(db)
    assert row[2:4] == (GOOGLE, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "300.1.1.1"),
        ("address", "shop.example"),
        ("address", ""),
        ("address", "fe80::1%eth0"),
        ("address", 1),
        ("agent", "a" * 2049),
        ("agent", "a\0"),
        ("agent", ["a"]),
        ("referrer", "r" * 2049),
        ("referrer", "\0"),
    ],
)
async def test_a_wrong_visitor_is_refused_by_name(user: User, field: str, value: Any) -> None:
    headers = {"Content-Type": "application/json"}
    body = {"page_url": "/a", field: value}
    answer = await user.client.post("/visits", data=json.dumps(body).encode(), headers=headers)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/{field}"]
    many = json.dumps({"visits": [{"page_url": "/ok"}, body]}).encode()
    answer = await user.client.post("/visits", data=many, headers=headers)
    assert answer.json["created"] == 1
    [verdict] = answer.json["results"]
    assert [error["pointer"] for error in verdict["errors"]] == [f"/visits/1/{field}"]


async def test_a_retry_may_leave_out_the_visitor_but_not_name_another(user: User) -> None:
    visit = {
        "page_url": "/a",
        "id": ID,
        "address": "2001:db8::1.2.3.4",
        "agent": CHROME,
        "referrer": "https://shop.example/",
    }
    assert (await user.client.post("/visits", json=visit)).status == 201
    assert (await user.client.post("/visits", json=visit)).status == 200
    assert (await user.client.post("/visits", json={"page_url": "/a", "id": ID})).status == 200
    for other in ({"address": "8.8.8.8"}, {"agent": GOOGLE}, {"referrer": "/b"}, {"agent": ""}):
        assert (await user.client.post("/visits", json=visit | other)).status == 409, other
