"""Imports by drop and the live stream in a real browser."""

from datetime import timedelta

import pytest
from playwright.async_api import expect
from sqlalchemy import update

from db.database import Database
from db.models import Import
from tests.browser.conftest import Tab
from tests.support.command_line import PASSWORD
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User
from tests.support.log_imports import some_lines

VISITS = [{"page_url": "https://shop.example/fresh_fish/"}, {"page_url": "/about"}]


DROP = """(zone, [name, text]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], name));
    zone.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


async def test_a_log_that_is_dropped_on_the_page_is_imported_and_can_be_undone(
    dashboard: Dashboard, admin: User, tab: Tab
) -> None:
    page = dashboard.page
    await dashboard.open("#imports")
    await dashboard.sign_in(admin.login, view="imports")
    log = some_lines(30).decode() + "no line <b>of</b> a log\n"
    await page.locator(".drop").evaluate(DROP, ["dropped.log", log])
    await page.wait_for_selector(".badge.done")  # rejects are counted before they can be read
    await page.route("**/rejects?*", lambda route: route.fulfill(status=500, body="{}"), times=1)
    await page.get_by_role("button", name="Rejects (1)").click()
    await page.locator(".message.bad").wait_for()
    assert [error for error in tab.errors if "500" not in error] == []
    tab.errors.clear()
    await page.get_by_role("button", name="Rejects (1)").click()
    await page.get_by_text("no line <b>of</b> a log").wait_for()
    assert (await admin.client.get("/imports")).json["items"][0]["imported"] == 30
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("dialog").get_by_role("button", name="Undo").click()
    await page.wait_for_selector(".badge.undone")
    assert (await admin.client.get("/report/4")).json["answer"] is None

    await page.locator(".drop").evaluate(DROP, ["other.log", "no line of a log\n"])
    trouble = page.locator(".badge.failed + .trouble")
    await expect(trouble).to_contain_text("the only line does not fit a known format")
    assert await page.get_by_role("button", name="Undo").count() == 0  # nothing was stored


@pytest.mark.slow
async def test_an_import_that_ended_before_it_was_cancelled_is_not_undone(
    dashboard: Dashboard, admin: User, db: Database
) -> None:
    page = dashboard.page
    await dashboard.open("#imports")
    await dashboard.sign_in(admin.login, view="imports")
    await page.locator(".drop").evaluate(DROP, ["ended.log", some_lines(30).decode()])
    await page.wait_for_selector(".badge.done")
    await set_status(db, "running")
    await dashboard.visit("tasks")
    await dashboard.visit("imports")
    await page.get_by_role("button", name="Cancel").click()
    await set_status(db, "done")
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await page.get_by_text("has ended meanwhile").wait_for()
    await page.wait_for_selector(".badge.done")
    [record] = (await admin.client.get("/imports")).json["items"]
    assert (record["status"], record["imported"]) == ("done", 30)


@pytest.mark.slow
async def test_what_another_admin_undoes_is_shown_without_reloading(
    dashboard: Dashboard, admin: User, db: Database
) -> None:
    await admin.client.post("/imports?name=theirs.log", data=some_lines(30))
    async with db.transaction() as session:  # it has ended long ago
        values = {each: getattr(Import, each) - timedelta(days=1) for each in ("finished_at", "updated_at")}
        await session.execute(update(Import).values(values))
    await dashboard.open("#imports")
    await dashboard.sign_in(admin.login, view="imports")
    await dashboard.page.locator(".badge.done").wait_for()
    await dashboard.page.locator(".pulse.on").wait_for()
    [record] = (await admin.client.get("/imports")).json["items"]
    assert (await admin.client.delete(f"/imports/{record['id']}")).json["status"] == "undone"
    await dashboard.page.locator(".badge.undone").wait_for()


async def set_status(db: Database, status: str) -> None:
    async with db.transaction() as session:
        await session.execute(update(Import).values(status=status))


@pytest.mark.slow
async def test_live_counts_reach_the_page_without_reloading(dashboard: Dashboard, user: User) -> None:
    await dashboard.open("#live")
    await dashboard.page.get_by_label("Login").wait_for()
    await dashboard.page.get_by_label("Login").fill(user.login)
    await dashboard.page.get_by_label("Password").fill(PASSWORD)
    await dashboard.page.keyboard.press("Enter")
    await dashboard.wait_until_loaded("live")
    assert (await user.client.post("/visits", json={"visits": VISITS})).json["created"] == 2
    await dashboard.page.get_by_text("2 since the start").first.wait_for()
    await dashboard.page.get_by_text("https://shop.example/fresh_fish/").wait_for()
