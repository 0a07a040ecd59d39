"""Pages of another origin report their views to the server, in a real browser."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from tests.browser.conftest import Tab
from tests.support.command_line import free_port
from tests.support.eventually import eventually
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.transport.test_sites import make_site

REPORTED = "() => performance.getEntriesByType('resource').some(entry => entry.name.endsWith('/collect'))"


@dataclass
class Shop:
    """A shop on an origin of its own, whose every page has the same `head` and `body`."""

    origin: str
    head: str = ""
    body: str = ""

    async def show(self, _request: web.Request) -> web.Response:
        html = f"<!doctype html><title>shop</title><link rel=icon href=data:>{self.head}<body>{self.body}"
        return web.Response(text=html, content_type="text/html")


@asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    port = free_port()
    shop = Shop(f"http://127.0.0.1:{port}")
    app = web.Application()
    app.router.add_get("/{path:.*}", shop.show)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield shop
    await runner.cleanup()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with open_shop() as opened:
        yield opened


@pytest.fixture
async def key(admin: User, shop: Shop) -> str:
    site_key: str = (await make_site(admin, origins=[shop.origin]))["key"]
    return site_key


async def visits(user: User) -> list[dict[str, Any]]:
    """Return the visits of sites, the oldest first."""
    answer = await user.client.get("/visits?source=site&limit=1000")
    return sorted(answer.json["items"], key=lambda visit: visit["timestamp"])


def has(user: User, number: int) -> Callable[[], Awaitable[bool]]:
    """Return whether there are as many visits of sites."""

    async def are() -> bool:
        return len(await visits(user)) == number

    return are


def snippet(server: RunningApp, key: str) -> str:
    return f'<script async src="{server.url}/trawl.js" data-site="{key}"></script>'


async def test_a_page_with_the_snippet_reports_each_of_its_views_once(
    server: RunningApp, admin: User, tab: Tab, shop: Shop, key: str
) -> None:
    shop.head = snippet(server, key)
    page = tab.page
    await page.goto(f"{shop.origin}/fresh_fish/salmon/#reviews")
    await eventually(has(admin, 1))
    await page.goto(f"{shop.origin}/fresh_fish/")
    await eventually(has(admin, 2))
    pages = [visit["page_url"].removeprefix(shop.origin) for visit in await visits(admin)]
    assert pages == ["/fresh_fish/salmon/", "/fresh_fish/"]
    assert await page.context.cookies() == []
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert (await page.context.storage_state())["origins"] == []
    assert (tab.errors, tab.blocked_urls) == ([], [])


async def test_a_page_of_one_document_reports_each_new_url(
    server: RunningApp, admin: User, tab: Tab, shop: Shop, key: str
) -> None:
    shop.head = snippet(server, key)
    page = tab.page
    await page.goto(f"{shop.origin}/")
    await eventually(has(admin, 1))
    for number, step in enumerate(
        [
            "history.pushState({}, '', '/caviar/')",
            "history.replaceState({}, '', '/caviar/black/?size=2')",
            "history.pushState({}, '', '/pay?user_id=1&cart_id=2#step')",
            "history.go(-2)",  # over the entry of the fragment
        ],
        start=2,
    ):
        await page.evaluate("history.replaceState({position: 7}, '')")  # the same URL is not a view
        await page.evaluate("location.hash = 'part'")
        await page.evaluate("history.replaceState({}, '', location.pathname + location.search)")
        await page.evaluate(step)
        await eventually(has(admin, number))
    pages = [visit["page_url"].removeprefix(shop.origin) for visit in await visits(admin)]
    assert pages == [
        "/",
        "/caviar/",
        "/caviar/black/?size=2",
        "/pay?user_id=1&cart_id=2",
        "/caviar/black/?size=2",
    ]
    assert await page.evaluate("history.state") is not None
    assert tab.errors == []


async def test_a_page_that_has_the_snippet_twice_reports_once(
    server: RunningApp, admin: User, tab: Tab, shop: Shop, key: str
) -> None:
    shop.head = snippet(server, key) * 2
    await tab.page.goto(f"{shop.origin}/caviar/")
    await tab.page.wait_for_load_state()  # both have run
    await eventually(has(admin, 1))
    await tab.page.evaluate("history.pushState({}, '', '/next/')")
    await eventually(has(admin, 2))
    assert [visit["page_url"] for visit in await visits(admin)] == [
        f"{shop.origin}/caviar/",
        f"{shop.origin}/next/",
    ]
    assert tab.errors == []


async def test_a_router_by_the_navigation_api_or_the_prototype_of_history_is_seen(
    server: RunningApp, admin: User, tab: Tab, shop: Shop, key: str
) -> None:
    shop.head = snippet(server, key)
    await tab.page.goto(f"{shop.origin}/")
    await eventually(has(admin, 1))
    await tab.page.evaluate(
        """() => {
            const show = event => event.intercept({handler: async () => {}});
            navigation.addEventListener("navigate", show, {once: true});
            navigation.navigate("/caviar/");
        }"""
    )
    await eventually(has(admin, 2))
    await tab.page.evaluate("History.prototype.pushState.call(history, {}, '', '/caviar/black/')")
    await eventually(has(admin, 3))
    pages = [visit["page_url"].removeprefix(shop.origin) for visit in await visits(admin)]
    assert pages == ["/", "/caviar/", "/caviar/black/"]
    assert tab.errors == []


async def test_a_page_that_the_browser_has_kept_has_the_referrer_that_it_came_with(
    server: RunningApp, admin: User, tab: Tab, shop: Shop, key: str
) -> None:
    shop.head = snippet(server, key)
    came_from = "https://search.example/"
    await tab.page.goto(f"{shop.origin}/caviar/", referer=came_from)
    await eventually(has(admin, 1))
    await tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    await eventually(has(admin, 2))
    assert [visit["referrer"] for visit in await visits(admin)] == [came_from, came_from]


async def test_an_image_reports_the_page_that_it_is_on(
    server: RunningApp, admin: User, tab: Tab, shop: Shop, key: str
) -> None:
    image = f"{server.url}/pixel.gif?site={key}"
    shop.body = f'<img src="{image}" referrerpolicy="no-referrer-when-downgrade" alt="">'
    await tab.page.goto(f"{shop.origin}/caviar/?a=b")
    await eventually(has(admin, 1))
    assert await tab.page.evaluate("document.images[0].naturalWidth") == 1
    [visit] = await visits(admin)
    assert visit["page_url"] == f"{shop.origin}/caviar/?a=b"
    assert tab.errors == []


async def test_a_script_may_report_views_itself_and_read_what_became_of_them(
    server: RunningApp, admin: User, tab: Tab, shop: Shop, key: str
) -> None:
    await tab.page.goto(f"{shop.origin}/")
    answer = await tab.page.evaluate(
        """async ([url, site]) => {
            const body = JSON.stringify({site, page_url: location.href});
            const headers = {"Content-Type": "application/json"};
            return (await fetch(url, {method: "POST", headers, body})).json();
        }""",
        [f"{server.url}/collect", key],
    )
    assert answer == {"status": "stored", "detail": None}
    assert len(await visits(admin)) == 1
    assert tab.errors == []


async def test_a_page_of_an_origin_that_is_not_the_sites_reports_nothing_and_does_not_break(
    server: RunningApp, admin: User, tab: Tab, key: str
) -> None:
    async with open_shop() as other:
        other.head = snippet(server, key)
        await tab.page.goto(f"{other.origin}/caviar/")
        await tab.page.wait_for_function(REPORTED)
        await tab.page.evaluate("history.pushState({}, '', '/next/')")
        assert await tab.page.evaluate("location.pathname") == "/next/"
    assert await visits(admin) == []
    assert tab.errors == []
