"""A dashboard that stays open for longer than its access tokens live, in one tab and in two at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Tab
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User

pytestmark = pytest.mark.slow

UNAUTHORIZED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"
STEP = timedelta(minutes=13)  # a token lives for 30
STEPS = 6


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """A function that moves the clock by which the server makes and takes tokens."""
    ahead = timedelta()

    def move(span: timedelta) -> None:
        nonlocal ahead
        ahead += span

    for module in ("auth", "request", "routes.live"):
        monkeypatch.setattr(f"transport.{module}.now", lambda: datetime.now(UTC) + ahead)
    return move


async def add_task(page: Page, title: str) -> None:
    await page.get_by_label("Title").first.fill(title)
    await page.get_by_role("button", name="Add a task").click()
    await page.locator(".task", has_text=title).wait_for()


async def tokens(page: Page) -> list[str]:
    pair: list[str] = await page.evaluate(
        "['trawl.token', 'trawl.refresh-token'].map(name => sessionStorage.getItem(name))"
    )
    return pair


async def test_a_session_goes_on_for_more_than_an_hour_while_its_tokens_change(
    dashboard: Dashboard, user: User, tab: Tab, pass_time: Callable[[timedelta], None]
) -> None:
    page = dashboard.page
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    pairs = {tuple(await tokens(page))}
    for number in range(STEPS):
        pass_time(STEP)
        await add_task(page, f"after {STEP * (number + 1)}")
        pairs.add(tuple(await tokens(page)))
    assert len(pairs) == 3  # of the sign-in, and two of refreshes
    assert len({refresh for _, refresh in pairs}) == 3
    await dashboard.visit("overview")
    await page.locator(".pulse.on").wait_for()
    await dashboard.visit("account")
    current = page.locator("[data-list=sessions] tr", has_text="this one")
    assert await current.count() == 1
    assert set(tab.errors) == {UNAUTHORIZED}
    tab.errors.clear()


async def test_two_tabs_of_one_session_outlive_their_tokens_at_once(
    dashboard: Dashboard, user: User, tab: Tab, pass_time: Callable[[timedelta], None]
) -> None:
    page = dashboard.page
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    async with page.expect_popup() as opening:
        await page.evaluate(
            "window.open(location.href)"
        )  # which copies the tokens, as duplicating a tab does
    second = await opening.value
    other = Dashboard(second, dashboard.url)
    await other.wait_until_loaded("tasks")
    assert await tokens(second) == await tokens(page)
    before = await tokens(page)
    for number in range(2):
        pass_time(timedelta(minutes=31))
        for each in (page, second):  # both at once, whichever is faster
            await each.get_by_label("Title").first.fill(f"{number} {each is page}")
        await page.get_by_role("button", name="Add a task").dispatch_event("click")
        await second.get_by_role("button", name="Add a task").dispatch_event("click")
        for each in (page, second):
            await each.locator(".task", has_text=f"{number} {each is page}").wait_for()
    assert await tokens(second) == await tokens(page) != before
    await page.reload()
    await expect(page.locator(".task")).to_have_count(4)
    await dashboard.page.get_by_role("button", name="Sign out").click()
    await page.get_by_text("You are signed out.").wait_for()
    await second.get_by_label("Login").wait_for()  # the session is dead in both
    assert set(tab.errors) == {UNAUTHORIZED}
    tab.errors.clear()
