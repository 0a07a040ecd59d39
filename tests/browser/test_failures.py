"""The dashboard while the API fails, is slow, or answers in another order than it was asked."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import Tab
from tests.support.dashboard_page import Dashboard
from tests.support.eventually import eventually
from tests.support.http_client import User
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.slow

COLOURS = "all => all.map(one => getComputedStyle(one).color)"
LOST = "net::ERR_FAILED"
UNPROCESSABLE = "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
UNAUTHORIZED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


async def add_visits(user: User) -> None:
    visits = [{"page_url": "/caviar/", "address": "8.8.8.8"}, {"page_url": "/caviar/"}, {"page_url": "/"}]
    assert (await user.client.post("/visits", json={"visits": visits})).json["created"] == 3


async def test_what_fails_is_said_where_it_fails_and_the_rest_is_shown(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page, pages = dashboard.page, dashboard.page.locator("[data-card=pages]")
    await add_visits(user)
    lost = "**/visits/stats?*group_by=page*"
    await page.route(lost, lambda route: route.abort())
    await dashboard.open()
    await dashboard.sign_in(user.login)
    await pages.scroll_into_view_if_needed()
    await pages.get_by_text("The server can't be reached right now.").wait_for()
    await expect(page.locator("[data-total=visits]")).to_have_text("3")
    assert await pages.locator("[data-value]").count() == 0
    await page.unroute(lost)
    await pages.locator("[data-value]").first.wait_for()  # by itself
    assert await pages.locator(".trouble").inner_text() == ""

    module = "**/dashboard/tasks/view.js"
    await page.route(module, lambda route: route.abort())
    await page.evaluate("location.hash = 'tasks'")
    again = page.get_by_role("button", name="Try again")
    await again.wait_for()
    await page.unroute(module)
    await again.click()
    await dashboard.wait_until_loaded("tasks")
    assert all(LOST in error or "tasks/view.js" in error for error in tab.errors)
    tab.errors.clear()


async def test_what_failed_while_the_rest_was_still_being_read_is_read_again(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page, pages = dashboard.page, dashboard.page.locator("[data-card=pages]")
    await add_visits(user)
    release = asyncio.Event()

    async def hold(route: Route) -> None:
        await release.wait()
        await route.continue_()

    lost = "**/visits/stats?*group_by=page*"
    await page.route(lost, lambda route: route.abort())
    await page.route("**/report/6?*", hold)
    await dashboard.open()
    await dashboard.fill_login(user.login)
    await pages.scroll_into_view_if_needed()
    async with page.expect_response(f"{dashboard.url}/"):  # is it back?
        await pages.get_by_text("The server can't be reached right now.").wait_for()
        await page.unroute(lost)
    release.set()
    await pages.locator("[data-value]").first.wait_for()
    await page.unroute("**/report/6?*")
    assert all(LOST in error for error in tab.errors)
    tab.errors.clear()


async def test_a_wrong_filter_of_the_address_is_asked_once_and_has_one_message(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page = dashboard.page
    await add_visits(user)
    await dashboard.open()
    await dashboard.sign_in(user.login)
    refusals: list[str] = []
    page.on("response", lambda answer: refusals.append(answer.url) if answer.status == 422 else None)
    await dashboard.visit("overview?status=many&country=US")
    await page.get_by_text("status: must be").wait_for()
    assert await page.locator(".trouble:not(:empty)").count() == 1
    assert not await page.locator("[data-total=visits]").is_visible()
    await page.get_by_role("button", name="Remove the filter Status: many").click()
    await expect(page.locator("[data-total=visits]")).to_have_text("1")
    await expect(page.locator("[data-total=visits]")).to_be_visible()
    await expect(page.locator(".trouble:not(:empty)")).to_have_count(0)
    await expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")
    assert len(refusals) == 1
    assert tab.errors == [UNPROCESSABLE]
    tab.errors.clear()


async def test_a_wrong_country_says_how_long_one_is_and_an_unknown_view_leaves_the_address(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page = dashboard.page
    await add_visits(user)
    await dashboard.open("#nonsense?country=ZZZ")
    await dashboard.fill_login(user.login)
    await page.get_by_text("country: must have 2 characters").wait_for()
    assert page.url == f"{dashboard.url}/dashboard#overview?country=ZZZ"
    await page.evaluate("localStorage.setItem('trawl.language', 'ru')")
    await page.reload()
    await page.get_by_text("country: нужно знаков: 2").wait_for()
    assert set(tab.errors) == {UNPROCESSABLE}
    tab.errors.clear()


async def test_an_older_answer_never_replaces_a_newer_one(dashboard: Dashboard, user: User) -> None:
    page, visits = dashboard.page, dashboard.page.locator("[data-total=visits]")
    await add_visits(user)
    release = asyncio.Event()

    async def hold(route: Route) -> None:
        await release.wait()
        await route.continue_()

    await dashboard.open()
    await dashboard.sign_in(user.login)
    await expect(visits).to_have_text("3")
    held = "**/visits/stats?*country=US*"
    await page.route(held, hold)
    await page.locator("[data-card=countries]").scroll_into_view_if_needed()
    await page.locator("[data-card=countries] [data-value=US]").click()
    await page.locator(".tile.late").first.wait_for()  # what it shows is of the question before
    colours = await page.eval_on_selector_all(".tile.late, main", COLOURS)
    assert len({*colours}) == 1  # and is marked by its frame, not as something bad
    await page.get_by_role("button", name="Remove the filter Country").click()
    await expect(page.locator(".tile.late")).to_have_count(0, timeout=PATIENCE * 1000)
    release.set()
    await page.locator("[data-card=countries] [data-value=US][aria-pressed=false]").wait_for()
    async with page.expect_response("**/visits/stats?*kind=product*"):
        await page.get_by_label("Traffic").select_option("all")
    await expect(visits).to_have_text("3")
    await page.unroute(held)


async def test_a_link_is_read_anew_each_minute_until_it_ends(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page, visits = dashboard.page, dashboard.page.locator("[data-total=visits]")
    await add_visits(user)
    share = (
        await user.client.post("/shares", json={"view": "overview", "parameters": {"period": "7d"}})
    ).json
    await page.clock.install()
    await dashboard.open(share["link"].removeprefix("/dashboard"))
    await dashboard.wait_until_loaded("overview")
    await expect(visits).to_have_text("3")
    await add_visits(user)
    asked, release = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await release.wait()
        await route.continue_()

    await page.route("**/visits/stats?*", hold)
    await page.clock.fast_forward("01:01")
    await asked.wait()
    await page.clock.fast_forward("00:01")
    await expect(page.locator(".late")).to_have_count(0)  # the question is the same: nothing flickers
    release.set()
    await expect(visits).to_have_text("6", timeout=PATIENCE * 1000)
    await page.unroute("**/visits/stats?*")
    assert (await user.client.delete(f"/shares/{share['id']}")).status == 204
    ended = page.get_by_text("This link has ended.")

    async def is_told_in_a_minute() -> bool:
        await page.clock.fast_forward("01:01")  # which begins when all cards have been read
        return await ended.is_visible()

    await eventually(is_told_in_a_minute)
    await expect(visits).to_have_count(0)
    assert set(tab.errors) == {UNAUTHORIZED}
    tab.errors.clear()


async def test_a_question_that_a_report_refused_is_asked_once_though_others_are_read_anew(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page = dashboard.page
    await add_visits(user)
    refusals: list[str] = []
    page.on("response", lambda answer: refusals.append(answer.url) if answer.status == 422 else None)
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    await page.locator(".pulse.on").wait_for()
    await dashboard.visit("reports?category=%00nonsense")
    await expect(page.locator(".tile .trouble:not(:empty)")).to_have_count(3)
    async with page.expect_response("**/report/7?*") as anew:
        await add_visits(user)
    await (await anew.value).finished()
    await expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")
    assert len(refusals) == len(tab.errors) == 3
    tab.errors.clear()
