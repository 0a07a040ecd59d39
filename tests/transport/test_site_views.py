"""Views that pages report: what is recorded, and who may read the answer."""

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from db.database import Database
from db.models.visit_view import Visit
from service.bounds.shared_result import SharedResult
from service.deps import Deps, RateLimits
from tests.support.http_client import Answer, Client, User
from tests.support.http_server import RunningApp
from tests.support.site_views import SALMON, SHOP, report, visits
from tests.transport.test_sites import make_site

BOT = "Googlebot/2.1 (+http://google.com/bot.html)"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
async def key(admin: User) -> str:
    """The key of a site with pages of SHOP."""
    site_key: str = (await make_site(admin, origins=[SHOP]))["key"]
    return site_key


async def test_a_page_of_the_site_is_recorded(client: Client, user: User, key: str) -> None:
    answer = await report(client, {"site": key, "page_url": SALMON})
    assert (answer.status, answer.json) == (202, {"status": "stored", "detail": None})
    [visit] = await visits(user)
    assert (visit["page_url"], visit["source"], visit["user_id"]) == (SALMON, "site", None)
    assert (visit["kind"], visit["category"], visit["product"]) == ("product", "fresh_fish", "salmon")


async def test_views_count_in_reports_as_live_visits(client: Client, user: User, key: str) -> None:
    for page in ("/cart?goods_id=1&amount=2&cart_id=3", "/pay?user_id=7&cart_id=3", "/success_pay_3/"):
        assert (await report(client, {"site": key, "page_url": SHOP + page})).json["status"] == "stored"

    async def answers(source: str) -> list[Any]:
        paths = [f"/report/{number}?source={source}" for number in (4, 7)]
        return [(await user.client.get(path)).json["answer"] for path in paths]

    assert [await answers(source) for source in ("all", "api", "log")] == [[3, 0], [3, 0], [None, 0]]
    buyers = (await user.client.get("/report/7?source=api")).json["rows"]
    assert buyers == [{"purchases": 1, "users": 1}]


async def test_a_view_has_the_agent_of_its_request_and_the_referrer_of_its_page(
    client: Client, user: User, key: str, db: Database
) -> None:
    body = {"site": key, "page_url": SALMON, "referrer": "https://search.example/?q=salmon"}
    await report(client, body, **{"User-Agent": AGENT})
    await report(
        client, body | {"referrer": None}, **{"User-Agent": "Googlebot/2.1 (+http://google.com/bot)"}
    )
    async with db.read() as session:
        rows = await session.execute(text("SELECT browser, referrer, traffic FROM visit ORDER BY position"))
    assert [tuple(row) for row in rows] == [
        ("Firefox", "https://search.example/?q=salmon", "human"),
        ("Googlebot", None, "bot"),
    ]


async def test_the_visitor_is_that_of_the_request_and_the_referrer_that_of_the_page(
    client: Client, deps: Deps, key: str
) -> None:
    body = {"site": key, "page_url": SALMON}
    agent = {"User-Agent": AGENT}
    await report(client, body | {"referrer": "https://search.example/?q=salmon"}, Referer=SALMON, **agent)
    await report(client, body, Referer=f"{SHOP}/", **agent)  # as a browser says which page it is
    await report(client, body, Referer="https://news.example/", **agent)  # as only programs do
    await report(client, body | {"referrer": ""}, **{"User-Agent": BOT})
    async with deps.db.transaction() as session:
        rows = await session.execute(
            select(Visit.referrer, Visit.agent, Visit.browser, Visit.traffic).order_by(Visit.occurred_at)
        )
    assert [tuple(row) for row in rows] == [
        ("https://search.example/?q=salmon", AGENT, "Firefox", "human"),
        (None, AGENT, "Firefox", "human"),
        ("https://news.example/", AGENT, "Firefox", "human"),
        (None, BOT, "Googlebot", "bot"),
    ]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-whatever"])
async def test_any_content_type_is_taken(client: Client, user: User, key: str, content_type: str) -> None:
    body = json.dumps({"site": key, "page_url": SALMON}).encode()
    for mark in (b"", b"\xef\xbb\xbf"):
        answer = await report(client, mark + body, **{"Content-Type": content_type})
        assert answer.json["status"] == "stored"
    assert len(await visits(user)) == 2


async def test_the_origin_may_be_that_of_the_referer(client: Client, key: str) -> None:
    body = {"site": key, "page_url": SALMON}
    answer = await report(client, body, origin=None, Referer=f"{SHOP}/any/page?a=b")
    assert answer.json["status"] == "stored"


async def test_the_fragment_of_a_page_is_not_recorded(client: Client, user: User, key: str) -> None:
    await report(client, {"site": key, "page_url": f"{SALMON}#access_token=secret"})
    assert [visit["page_url"] for visit in await visits(user)] == [SALMON]


async def test_an_image_records_the_page_that_it_is_on(client: Client, user: User, key: str) -> None:
    answer = await client.get(f"/pixel.gif?site={key}", headers={"Referer": SALMON})
    assert (answer.status, answer.headers["Content-Type"]) == (202, "image/gif")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    answer = await client.get(f"/pixel.gif?site={key}&page_url=/about", headers={"Referer": f"{SHOP}/"})
    assert answer.status == 202
    assert {visit["page_url"] for visit in await visits(user)} == {SALMON, "/about"}


async def test_pages_of_sites_may_read_the_answer_and_others_may_not(client: Client, key: str) -> None:
    body = {"site": key, "page_url": SALMON}
    answer = await report(client, body)
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert answer.headers["Vary"] == "Origin"
    for origin in ("https://other.example", "null"):
        answer = await report(client, body, origin=origin)
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_preflights_are_answered_for_the_pages_of_sites_alone(client: Client, key: str) -> None:
    async def ask(origin: str) -> Answer:
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        headers["Access-Control-Request-Headers"] = "content-type"
        return await client.request("OPTIONS", "/collect", headers=headers)

    answer = await ask(SHOP)
    assert (answer.status, answer.headers["Allow"]) == (204, "POST, OPTIONS")
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    for origin in ("https://other.example", "null", ""):
        answer = await ask(origin)
        assert answer.status == 204
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


async def test_other_routes_stay_closed_to_the_pages_of_sites(client: Client, user: User, key: str) -> None:
    for path in ("/visits", "/profile", "/dashboard", "/"):
        answer = await user.client.get(path, headers={"Origin": SHOP})
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert (await client.signed_in(key).get("/visits")).code == "bad_token"


async def test_an_address_has_a_limit_of_its_own(
    server: RunningApp, client: Client, user: User, deps: Deps, key: str
) -> None:
    server.use(replace(deps, limits=RateLimits(default=1000, ingest=1000, collect=2)))
    body = {"site": key, "page_url": SALMON}
    answers = [await report(client, body) for _ in range(3)]
    assert [answer.json["status"] for answer in answers] == ["stored", "stored", "dropped"]
    assert {answer.status for answer in answers} == {202}
    assert answers[1].headers["RateLimit-Policy"] == '"collect";q=2;w=60'
    assert answers[1].headers["RateLimit"].startswith('"collect";r=0;t=')
    assert (await client.get(f"/pixel.gif?site={key}", headers={"Referer": SALMON})).status == 202
    assert len(await visits(user)) == 2  # with a limit of its own


async def test_of_an_address_over_its_limit_valkey_is_not_asked_again(
    server: RunningApp, client: Client, deps: Deps, key: str
) -> None:
    server.use(replace(deps, limits=RateLimits(default=1000, ingest=1000, collect=2)))
    for _ in range(6):
        answer = await report(client, {"site": key, "page_url": SALMON})
    assert (answer.status, answer.json["status"]) == (202, "dropped")
    assert answer.headers["RateLimit"].startswith('"collect";r=0;t=')
    assert int(await deps.cache.run("GET", "rate:collect:address:127.0.0.1")) == 3


async def test_without_a_default_limit_views_have_none(
    server: RunningApp, client: Client, deps: Deps, key: str
) -> None:
    server.use(replace(deps, limits=RateLimits(default=0, ingest=0, collect=1)))
    body = {"site": key, "page_url": SALMON}
    assert {(await report(client, body)).json["status"] for _ in range(3)} == {"stored"}


async def test_what_no_room_is_for_is_dropped_and_counted(
    server: RunningApp, client: Client, deps: Deps, key: str
) -> None:
    body = {"site": key, "page_url": SALMON}
    with ExitStack() as slots:
        for _ in range(deps.permits.bounds.site_views):
            slots.enter_context(deps.permits.site_views.take())
        answer = await report(client, body)
        assert (answer.status, answer.json["status"]) == (202, "dropped")
        assert (await client.get(f"/pixel.gif?site={key}", headers={"Referer": SALMON})).status == 202
    metrics = (await client.get("/metrics")).body.decode()
    assert 'trawl_refusals_total{bound="site_views"} ' in metrics
    assert (await report(client, body)).json["status"] == "stored"
    assert deps.permits.site_views.running == 0


async def test_while_the_database_is_away_views_are_dropped_and_told_so(
    server: RunningApp, client: Client, deps: Deps, key: str
) -> None:
    away = Database.connect("postgresql://trawl@127.0.0.1:1/trawl")
    server.use(replace(deps, db=away, sites=SharedResult(0.0)))
    for _ in range(2):
        answer = await report(client, {"site": key, "page_url": SALMON})
        assert (answer.status, answer.json["status"]) == (202, "dropped")
    assert (await client.get(f"/pixel.gif?site={key}", headers={"Referer": SALMON})).status == 202
    headers = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    assert (await client.request("OPTIONS", "/collect", headers=headers)).status == 204
    await away.close()


async def test_the_script_is_small_and_may_be_loaded_by_any_page(client: Client) -> None:
    answer = await client.get("/trawl.js")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert len(answer.body) <= 2048
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    again = await client.get("/trawl.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    for word in (b"cookie =", b"localStorage", b"sessionStorage", b"indexedDB"):
        assert word not in answer.body
