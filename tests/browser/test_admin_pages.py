"""Sites, audit and imports in the dashboard, and what a screen on a wall and paper show of a view."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tab
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User
from tests.support.log_imports import some_lines

pytestmark = pytest.mark.slow

VISIBLE_CONTROLS = """all => all.filter(one => one.checkVisibility()).map(one => one.outerHTML)"""


async def test_a_site_has_its_snippet_the_audit_its_filters_and_a_wrong_file_its_warning(
    dashboard: Dashboard, admin: User, tmp_path: Path, tab: Tab
) -> None:
    page = dashboard.page
    (tmp_path / "logs.txt").write_bytes(some_lines(3) + b"no line of a log\n" * 4)
    assert (await admin.client.get("/parse?wait=100")).json["rejected"] == 4
    await dashboard.open("#sites")
    await dashboard.sign_in(admin.login, view="sites")
    await page.get_by_label("Name").fill("The shop")
    await page.get_by_label("Origins").fill("https://shop.example/path")
    await page.get_by_role("button", name="Add the site").click()
    await page.locator(".trouble, .field-problem").get_by_text("must be an origin").wait_for()
    await page.get_by_label("Origins").fill("https://shop.example, https://www.shop.example")
    await page.get_by_role("button", name="Add the site").click()
    await page.locator("summary", has_text="Show").click()
    [site] = (await admin.client.get("/sites")).json["items"]
    assert site["origins"] == ["https://shop.example", "https://www.shop.example"]
    snippet = await page.locator(".snippet code").inner_text()
    assert f'<script async src="{dashboard.url}/trawl.js" data-site="{site["key"]}"></script>' in snippet
    assert await dashboard.barriers() == []
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.get_by_text("No sites yet").wait_for()

    await dashboard.visit("audit")
    await page.get_by_label("What").select_option("site_created")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.wait_for_url("**/dashboard#audit?type=site_created")
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="CSV").click()
    rows = (await (await saving.value).path()).read_text().splitlines()
    assert len(rows) == 2
    assert ",site_created," in rows[1]

    await dashboard.visit("imports")
    await page.get_by_text("Most lines were rejected").wait_for()
    assert len(tab.errors) == 1  # the browser's own line about the refused origin
    assert "422" in tab.errors.pop()


async def test_a_wall_and_paper_show_the_view_without_controls(dashboard: Dashboard, user: User) -> None:
    page = dashboard.page
    assert (await user.client.post("/visits", json={"page_url": "/caviar/"})).status == 201
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    await dashboard.open("?wall#overview")
    await dashboard.sign_in(user.login)
    controls = page.locator("nav, select, input, summary, button:not([data-value])")
    assert await controls.evaluate_all(VISIBLE_CONTROLS) == []
    assert await page.locator("[data-total=visits]").inner_text() == "1"
    await dashboard.open("#overview")
    await dashboard.wait_until_loaded("overview")
    await page.emulate_media(color_scheme="dark", media="print")
    assert await page.locator("header").is_visible() is False
    assert await page.locator("[data-total=visits]").is_visible()
    paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
