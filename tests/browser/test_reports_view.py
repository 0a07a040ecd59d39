"""The view of the reports in a real browser: the answers are those of the API."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from service.deps import Deps
from service.logs.folder import LogFolder
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User
from tests.support.http_server import RunningApp

ROOT = Path(__file__).parent.parent.parent

BOTTOMS = "all => all.map(one => one.getBoundingClientRect().bottom)"


async def api_answers(user: User, query: str = "") -> dict[int, Any]:
    paths = [f"/report/{number}{query}" for number in range(1, 8)]
    answers = await asyncio.gather(*map(user.client.get, paths))
    return {answer.json["report"]: answer.json["answer"] for answer in answers}


async def check_first_screen(dashboard: Dashboard, admin: User) -> None:
    """All answers stand in one row on the first screen; a category is in its title and in the address."""
    for width, height in ((1280, 800), (1440, 900)):
        await dashboard.page.set_viewport_size({"width": width, "height": height})
        tiles = [await tile.bounding_box() for tile in await dashboard.page.locator("[data-report]").all()]
        assert len(tiles) == 7
        assert all(tile and tile["y"] + tile["height"] <= height for tile in tiles)
        assert len({tile and tile["y"] for tile in tiles}) == 1  # in one row
        lines = await dashboard.page.locator(".answers .answer").evaluate_all(BOTTOMS)
        assert max(lines) - min(lines) < 2  # and their answers on one line, under titles of one to three

    hours = dashboard.page.locator("[data-report='3']")
    await dashboard.page.locator("[data-chart='3']").get_by_label("Category").select_option("caviar")
    await dashboard.page.wait_for_url("**/dashboard#reports?r3.category=caviar")
    await expect(hours.get_by_role("heading")).to_have_text("At what time of day is caviar viewed most?")
    caviar = (await admin.client.get("/report/3?category=caviar")).json
    await expect(hours.locator(".note")).to_contain_text(f"{caviar['rows'][0]['views']:,} views")
    await dashboard.page.reload()
    await dashboard.wait_until_loaded("reports")
    assert (await dashboard.answers())[3] == caviar["answer"]
    await dashboard.visit("reports")


@pytest.mark.slow
async def test_the_seven_answers_of_the_imported_log_are_read_from_the_page(
    dashboard: Dashboard, admin: User, deps: Deps, server: RunningApp
) -> None:
    server.use(replace(deps, logs=LogFolder(file=ROOT / "logs.txt", folder=ROOT, zone=UTC)))
    await dashboard.open("#reports")
    await dashboard.sign_in(admin.login, view="reports")
    assert set((await dashboard.answers()).values()) == {None, 0}
    await dashboard.visit("imports")
    await dashboard.page.get_by_role("button", name="Read the server's own log").click()
    await dashboard.page.wait_for_selector(".badge.done")  # as /live tells
    await dashboard.visit("reports")
    answers = await dashboard.answers()
    assert answers == await api_answers(admin)
    assert None not in answers.values()
    assert await dashboard.page.locator("[data-chart] svg").count() == 7
    await check_first_screen(dashboard, admin)

    async with dashboard.page.expect_download() as saving:
        await dashboard.page.locator("[data-chart='1']").get_by_text("CSV", exact=True).click()
    saved = await (await saving.value).path()
    assert saved.read_bytes() == (await admin.client.get("/report/1?format=csv")).body

    await dashboard.page.get_by_label("Time zone").fill("asia/tokyo")
    await dashboard.page.keyboard.press("Enter")
    await dashboard.page.wait_for_url("**/dashboard#reports?tz=Asia%2FTokyo")
    await dashboard.wait_until_loaded("reports")
    await dashboard.page.get_by_label("Period").select_option("7d")
    await dashboard.page.wait_for_url("**/dashboard#reports?period=7d*")  # stays relative when it is shared
    await dashboard.wait_until_loaded("reports")
    newest = datetime.fromisoformat((await admin.client.get("/visits?limit=1")).json["items"][0]["timestamp"])
    last_day = newest.astimezone(ZoneInfo("Asia/Tokyo")).date()
    days = f"?from={last_day - timedelta(days=6)}&to={last_day}&tz=Asia/Tokyo"
    week = await dashboard.answers()
    assert week == await api_answers(admin, days)
    assert week != answers
    await dashboard.page.go_back()
    await dashboard.wait_until_loaded("reports")
    assert await dashboard.page.get_by_label("Period").input_value() == "all"
    await dashboard.visit("reports")

    await dashboard.page.get_by_label("Language").select_option("ru")
    await dashboard.page.get_by_role("heading", name="Отчёты").wait_for()
    await dashboard.wait_until_loaded("reports")
    assert await dashboard.answers() == answers
    assert await dashboard.page.locator("html").get_attribute("lang") == "ru"
    nav = dashboard.page.get_by_role("navigation")
    assert await nav.evaluate("one => one.scrollWidth <= one.clientWidth")  # at 1440 pixels no view hides


@pytest.mark.slow
async def test_a_wrong_period_has_one_message_at_its_field_and_no_answer(
    dashboard: Dashboard, user: User
) -> None:
    page = dashboard.page
    await dashboard.open("#reports?tz=utc&traffic=nobody")  # is read as far as it can be
    await dashboard.sign_in(user.login, view="reports")
    await expect(page.get_by_label("Time zone")).to_have_value("UTC")
    assert set((await dashboard.answers()).values()) == {None, 0}
    await page.get_by_label("Period").select_option("own")
    await page.get_by_label("From", exact=True).fill("2026-05-07")
    await page.get_by_label("To", exact=True).fill("2026-05-06")
    await page.keyboard.press("Enter")
    await page.get_by_text("The period ends before it begins.").wait_for()
    assert await page.locator("[role=alert]:visible").all_inner_texts() == [
        "The period ends before it begins."
    ]
    assert await page.locator("[data-report]:visible").count() == 0
    assert await page.get_by_label("To", exact=True).get_attribute("aria-invalid") == "true"
    await page.get_by_label("To", exact=True).fill("2026-05-08")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/dashboard#reports?from=2026-05-07&to=2026-05-08")
    await page.locator("[data-report='7']").wait_for()
    assert await page.locator("[aria-invalid]").count() == 0
    for zone in ("Nowhere/At all", "+05:30"):
        await page.get_by_label("Time zone").fill(zone)
        await page.keyboard.press("Enter")
        await page.get_by_text("There is no such time zone.").wait_for()
        await page.get_by_label("Time zone").fill("UTC")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("There is no such time zone.")).to_have_count(0)
    for zone in ("asia/tokyo", "us/pacific", "europe/kyiv"):  # of which browsers list but the first
        await page.get_by_label("Time zone").fill(zone)
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Time zone")).not_to_have_value(zone)
        await page.locator("[data-report='7']").wait_for()
    assert await page.locator("[role=alert]:visible").count() == 0


async def test_a_new_category_can_be_chosen_without_reloading(dashboard: Dashboard, user: User) -> None:
    page = dashboard.page
    category = page.locator("[data-chart='3']").get_by_label("Category")
    assert (await user.client.post("/visits", json={"page_url": "/caviar/"})).status == 201
    await dashboard.open("#reports?r3.category=caviar")
    await dashboard.sign_in(user.login, view="reports")
    await page.locator(".pulse.on").wait_for()
    assert await category.locator("option").all_inner_texts() == ["caviar", "frozen fish"]
    await category.focus()
    assert (await user.client.post("/visits", json={"page_url": "/canned_food/"})).status == 201
    await category.locator("option", has_text="canned food").wait_for(state="attached")
    await expect(category).to_have_value("caviar")
    await expect(category).to_be_focused()
