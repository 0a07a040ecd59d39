"""Dialogs of the dashboard: one a click, over nothing but the view and the session that opened it."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tab
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User

pytestmark = pytest.mark.slow

NO_CLIPBOARD = "() => { navigator.clipboard.writeText = async () => { throw new Error('not allowed'); }; }"


async def add_visit(user: User) -> None:
    assert (await user.client.post("/visits", json={"page_url": "/"})).status == 201


async def test_a_dialog_closes_with_its_view_and_with_its_session(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page, dialog = dashboard.page, dashboard.page.get_by_role("dialog")
    await add_visit(user)
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    await dashboard.visit("overview")
    await page.get_by_role("button", name="Share").click()
    await dialog.wait_for()
    await page.go_back()
    await dashboard.wait_until_loaded("tasks")
    await expect(dialog).to_have_count(0)

    await dashboard.visit("overview")
    await page.get_by_role("button", name="Share").click()
    await dialog.wait_for()
    token = await dashboard.token()
    assert token
    assert (await user.client.signed_in(token).post("/logout")).status == 204
    await page.get_by_text("Your session has ended.").wait_for()
    await expect(dialog).to_have_count(0)
    assert all("401" in error for error in tab.errors)
    tab.errors.clear()


async def test_a_double_click_on_a_slow_button_opens_one_dialog(dashboard: Dashboard, user: User) -> None:
    page, dialog = dashboard.page, dashboard.page.get_by_role("dialog")
    await add_visit(user)
    await dashboard.open()
    await dashboard.sign_in(user.login)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "/shares?" in request.url else None)
    release = await dashboard.hold("**/shares?*")
    share = page.get_by_role("button", name="Share")
    await share.dblclick()
    await expect(share).to_have_attribute("aria-busy", "true")
    release.set()
    await expect(dialog).to_have_count(1)
    assert len(requests) == 1
    await page.keyboard.press("Escape")
    await expect(share).not_to_have_attribute("aria-busy", "true")
    await expect(share).to_be_focused()
    await page.unroute_all()


async def test_a_message_is_told_in_the_dialog_that_is_open(dashboard: Dashboard, user: User) -> None:
    page = dashboard.page
    message = page.get_by_text("The browser did not copy it: select the text.")
    await add_visit(user)
    await dashboard.open()
    await dashboard.sign_in(user.login)
    await page.evaluate(NO_CLIPBOARD)
    await page.get_by_role("button", name="Share").click()
    await page.get_by_role("button", name="Make a link").click()
    shown = page.get_by_role("dialog").last
    await shown.get_by_role("button", name="Copy").click()
    await expect(shown.locator(message)).to_be_visible()
    assert await dashboard.barriers() == []
    await shown.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("dialog").locator(message)).to_be_visible()  # the one below it
    await page.keyboard.press("Escape")
    await expect(page.locator("body > #messages").locator(message)).to_be_visible()
