"""Shares in a real browser: a link shows its view to somebody without an account, and nothing else."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from service.deps import Deps
from tests.browser.conftest import Tab
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.support.log_imports import some_lines
from tests.support.processes import PATIENCE

REFUSED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


@pytest.fixture
async def owner(server: RunningApp, deps: Deps, admin: User) -> User:
    """Somebody with a server whose log is imported."""
    deps.logs.file.write_bytes(some_lines(40))
    assert (await admin.client.get("/parse?wait=100")).json["status"] == "done"
    return admin


@asynccontextmanager
async def stranger(browser: Browser) -> AsyncIterator[tuple[Page, list[str]]]:
    """Open a page in a new profile, with the errors of its console and the paths that it asks for."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    page = await context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page, errors
    await context.close()


async def share(dashboard: Dashboard, view: str, choice: str = "after a day") -> str:
    """Make a link of the view by its button, and return it."""
    page = dashboard.page
    await page.get_by_role("button", name="Share", exact=True).click()
    await page.get_by_label("Ends").select_option(label=choice)
    await page.get_by_role("button", name="Make a link").click()
    link: str = await page.locator(".secrets code").inner_text()
    assert await dashboard.barriers() == []
    await page.get_by_role("dialog").last.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("button", name="Make a link")).to_be_focused()
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(page.get_by_role("button", name="Share", exact=True)).to_be_focused()
    await page.wait_for_selector(f"[data-view={view}]")
    return link


@pytest.mark.slow
async def test_a_link_shows_the_reports_to_whoever_has_it_until_it_ends(
    server: RunningApp, browser: Browser, tab: Tab, owner: User
) -> None:
    dashboard = Dashboard(tab.page, server.url)
    await dashboard.open("#reports?period=7d&source=log&r3.category=caviar")
    await dashboard.sign_in(owner.login, view="reports")
    answers = await dashboard.answers()
    link = await share(dashboard, "reports")
    assert link.startswith(f"{server.url}/dashboard#share=trawl_share_")
    assert (tab.errors, tab.blocked_urls) == ([], [])
    [item] = (await owner.client.get("/shares")).json["items"]
    assert item["parameters"].items() >= {"period": "7d", "source": "log", "r3.category": "caviar"}.items()

    async with stranger(browser) as (page, errors):
        paths: set[str] = set()
        page.on("request", lambda request: paths.add(request.url.removeprefix(server.url).partition("?")[0]))
        shown = Dashboard(page, server.url)
        await page.goto(link)
        await shown.wait_until_loaded("reports")
        assert await shown.answers() == answers
        assert errors == []
        api_paths = {path for path in paths if not path.startswith("/dashboard")}
        assert api_paths == {"/shares/current", "/reports", *(f"/report/{number}" for number in range(1, 8))}
        assert not any("trawl_share_" in path for path in paths)
        assert await page.locator("nav").count() == 0
        for name in ("Sign out", "Share", "Apply"):
            assert await page.get_by_role("button", name=name, exact=True).count() == 0
        assert not await page.get_by_label("Period").is_visible()
        words = page.locator(".shown")  # say what the controls would
        await expect(words).to_have_text(re.compile(r"^Last 7 days: \w.+ . \w.+ · UTC · Log$"))
        assert "trawl_share_" not in await page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}])"
        )
        assert await shown.barriers() == []

        await page.set_viewport_size({"width": 360, "height": 740})
        assert not await shown.overflows()
        await page.evaluate("location.hash = 'people'")  # leads out of the share, to signing in
        await page.get_by_label("Login").wait_for()
        await page.go_back()
        await shown.wait_until_loaded("reports")

        await owner.client.delete(f"/shares/{item['id']}")
        await page.reload()
        await page.get_by_text("This link has ended.").wait_for()
        assert await page.locator("[data-report]").count() == 0
        assert set(errors) == {REFUSED}


@pytest.mark.slow
async def test_a_link_shows_the_overview_with_its_filters_which_no_click_changes(
    server: RunningApp, browser: Browser, tab: Tab, owner: User
) -> None:
    dashboard = Dashboard(tab.page, server.url)
    await dashboard.open("#overview?period=30d&kind=product&unit=week")
    await dashboard.sign_in(owner.login)
    visits = await tab.page.locator("[data-total=visits]").get_attribute("data-value")
    link = await share(dashboard, "overview", "never")
    async with stranger(browser) as (page, errors):
        shown = Dashboard(page, server.url)
        await page.goto(link)
        await shown.wait_until_loaded("overview")
        assert await page.locator("[data-total=visits]").get_attribute("data-value") == visits != "0"
        await expect(page.locator(".shown")).to_contain_text("Last 30 days: ")
        weeks = await page.locator("[data-card=timeline] .band").count()
        assert 5 <= weeks <= 6  # and not 30 days
        await expect(page.get_by_text("Click a row")).to_have_count(0)
        await page.locator("[data-card=countries]").scroll_into_view_if_needed()  # which loads it
        await page.locator("[data-card=countries] [data-value]").first.click()
        await expect(page.locator("[data-card=countries]")).not_to_have_attribute("aria-busy", "true")
        assert await page.locator("[data-total=visits]").get_attribute("data-value") == visits
        assert (
            await page.locator(".trouble").all_inner_texts() == [""] * await page.locator(".trouble").count()
        )
        assert page.url == link
        assert errors == []
    assert (tab.errors, tab.blocked_urls) == ([], [])


@pytest.mark.slow
async def test_a_link_shows_the_same_to_somebody_who_is_signed_in_and_leaves_the_session_alone(
    server: RunningApp, tab: Tab, owner: User
) -> None:
    dashboard = Dashboard(tab.page, server.url)
    await dashboard.open("#reports")
    await dashboard.sign_in(owner.login, view="reports")
    answers = await dashboard.answers()
    made = await owner.client.post("/shares", json={"view": "reports", "parameters": {"source": "api"}})
    token = await dashboard.token()
    await dashboard.open(made.json["link"].removeprefix("/dashboard"))
    await dashboard.wait_until_loaded("reports")
    assert await tab.page.locator("nav").count() == 0
    assert set((await dashboard.answers()).values()) == {None, 0}
    await tab.page.evaluate("location.hash = 'reports'")
    await tab.page.wait_for_selector("nav")
    await dashboard.wait_until_loaded("reports")
    assert await dashboard.token() == token
    assert await dashboard.answers() == answers
    assert tab.errors == []


async def test_a_link_shows_the_overview_with_its_filters_and_cannot_be_led_elsewhere(
    server: RunningApp, browser: Browser, tab: Tab, owner: User
) -> None:
    made = await owner.client.post(
        "/shares", json={"view": "overview", "parameters": {"period": "7d", "tz": "UTC", "kind": "product"}}
    )
    async with stranger(browser) as (page, errors):
        shown = Dashboard(page, server.url)
        await shown.open(made.json["link"].removeprefix("/dashboard"))
        await shown.wait_until_loaded("overview")
        [total] = (await owner.client.get("/visits/stats?kind=product")).json["items"]
        assert await page.locator("[data-total=visits]").inner_text() == f"{total['visits']:,}"
        await expect(page.locator(".chips li")).to_have_text(["Kind: product"])  # without what removes it
        assert await page.locator(".chips button, button[data-value]").count() == 0
        page_row = page.locator("[data-card=pages] [data-value]").first
        await page_row.scroll_into_view_if_needed()
        await page_row.click()
        await page.locator("[data-card=hours]").scroll_into_view_if_needed()
        await page.locator(".heat-map").wait_for()
        assert await page.locator("[data-total=visits]").inner_text() == f"{total['visits']:,}"
        assert "page_url" not in page.url
        assert await page.locator(".trouble:visible:not(:empty)").all_inner_texts() == []
        assert errors == []


@pytest.mark.slow
async def test_own_links_are_listed_and_ended_in_the_dialog(
    server: RunningApp, tab: Tab, owner: User
) -> None:
    await owner.client.post(
        "/shares", json={"view": "reports", "parameters": {"period": "30d", "r2.category": "caviar"}}
    )
    dashboard = Dashboard(tab.page, server.url)
    await dashboard.open("#reports")
    await dashboard.sign_in(owner.login, "reports")
    await tab.page.get_by_role("button", name="Share", exact=True).click()
    await tab.page.locator("summary", has_text="Your links").click()
    row = tab.page.get_by_role("row").filter(has_text="Last 30 days · caviar")
    await row.get_by_role("button", name="End").click()
    await row.wait_for(state="detached")
    assert (await owner.client.get("/shares")).json["items"] == []
    assert await dashboard.barriers() == []
    assert tab.errors == []
