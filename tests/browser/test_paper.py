"""Views on paper: what was asked, where it is from, nothing cut, nothing to click, and light."""

import json

import pytest
from playwright.async_api import expect

from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User

pytestmark = pytest.mark.slow

NOTE_PAPER = """() => addEventListener("beforeprint", () => {
    const [, , width] = document.querySelector(".timeline svg")?.getAttribute("viewBox").split(" ") ?? [];
    const { scrollWidth } = document.querySelector("main");
    const origin = document.querySelector(".origin").textContent;
    document.body.dataset.paper = JSON.stringify({ width: Number(width), scrollWidth, origin });
})"""
PAPER = 720  # pixels between the margins
VIEWS = ("overview", "reports", "events", "imports", "tasks", "films", "people")
CONTROLS = ":is(button:not(.value, .chip), select:not(.task select), input, nav):visible"
EMPTY = (
    "all => all.filter(one => !one.innerText.trim() && !one.querySelector('svg')).map(one => one.outerHTML)"
)
GROUNDS = """all => [...new Set(all.map(one => getComputedStyle(one).backgroundColor))]"""


async def add_visits(user: User) -> None:
    visits = [{"page_url": "/caviar/"}, {"page_url": "/caviar/black/"}]
    assert (await user.client.post("/visits", json={"visits": visits})).json["created"] == 2


async def test_a_view_on_paper_says_what_was_asked_and_has_nothing_to_click(
    dashboard: Dashboard, admin: User
) -> None:
    page = dashboard.page
    await add_visits(admin)
    event = {"event_id": "a" * 32, "user_id": 7, "event_type": "view", "occurred_at": "2026-05-06T07:08:09Z"}
    await admin.client.post("/events", json={"events": [event]})
    await admin.client.post("/tasks", json={"title": "Order salmon"})
    await admin.client.post("/imports?name=a.log&wait=30", data=b"no line of a log\n")
    await dashboard.open("#account")
    await dashboard.sign_in(admin.login, view="account")
    await page.evaluate(NOTE_PAPER)
    for view in VIEWS:
        await page.set_viewport_size({"width": 1280, "height": 900})
        await page.emulate_media(media="screen", color_scheme="light")
        await dashboard.visit(f"{view}?kind=category")
        await check_paper(dashboard, view)


async def check_paper(dashboard: Dashboard, view: str) -> None:
    page = dashboard.page
    await page.pdf()
    paper = json.loads(await page.locator("body").get_attribute("data-paper") or "")
    assert paper["origin"] == f"{dashboard.url}/dashboard#{view}?kind=category"
    assert paper["scrollWidth"] <= PAPER
    await page.set_viewport_size({"width": PAPER, "height": 1000})
    await page.emulate_media(media="print", color_scheme="dark")
    assert not await dashboard.overflows()
    assert await page.locator(CONTROLS).count() == 0
    assert await page.get_by_role("heading", level=1).is_visible()
    assert await page.locator("body, .card:not(:empty)").evaluate_all(GROUNDS) == ["rgb(255, 255, 255)"]
    assert await page.locator(".card:visible").evaluate_all(EMPTY) == []
    if view in ("overview", "reports", "events"):
        await expect(page.locator(".shown")).to_contain_text("UTC")
        assert await page.locator(".shown").is_visible()
    if view == "overview":
        assert await page.locator(".chips").inner_text() == "Kind: category"
        assert 0 < paper["width"] <= PAPER


async def test_the_key_of_a_share_is_not_on_paper(dashboard: Dashboard, user: User) -> None:
    await add_visits(user)
    share = (await user.client.post("/shares", json={"view": "overview", "parameters": {}})).json
    await dashboard.open(share["link"].removeprefix("/dashboard"))
    await dashboard.wait_until_loaded("overview")
    await dashboard.page.evaluate(NOTE_PAPER)
    await dashboard.page.pdf()
    paper = json.loads(await dashboard.page.locator("body").get_attribute("data-paper") or "")
    assert paper["origin"] == f"{dashboard.url}/dashboard"
