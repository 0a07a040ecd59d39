"""The overview: from an empty database by clicks, each number as the API has it, and a click filters all."""

from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from service.deps import Deps
from service.logs.folder import LogFolder
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.support.processes import PATIENCE

ROOT = Path(__file__).parent.parent.parent
TOTALS = """all => Object.fromEntries(all.map(one => [one.dataset.total, JSON.parse(one.dataset.value)]))"""
TOPS = """all => all.map(one => [one.dataset.value, one.querySelector(".bar-value").textContent])"""
CELLS = """all => all.map(one => Number(one.textContent.replace(/\\D/g, "")))"""


async def totals(page: Page) -> dict[str, Any]:
    # What is new may be read once more while it is read.
    await expect(page.locator(".tile[aria-busy]")).to_have_count(0, timeout=PATIENCE * 1000)
    shown: dict[str, Any] = await page.locator("[data-total]").evaluate_all(TOTALS)
    return shown


async def tops(page: Page, name: str) -> list[list[str]]:
    card = page.locator(f"[data-card={name}]")
    await card.scroll_into_view_if_needed()
    await card.locator("[data-value]").first.wait_for()
    await expect(card).not_to_have_attribute("aria-busy", "true")
    shown: list[list[str]] = await card.locator("[data-value]").evaluate_all(TOPS)
    return shown


async def stats(user: User, query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await user.client.get(f"/visits/stats?{query}")).json["items"]
    return items


async def expected_totals(user: User, period: str) -> dict[str, Any]:
    """What the tiles have to show without filters."""
    visits = (await stats(user, period))[0]
    kinds = {item["kind"]: item for item in await stats(user, f"{period}&group_by=kind")}
    carts = (await user.client.get(f"/report/6?{period}")).json["rows"][0]
    return {
        "visits": visits["visits"],
        "visitors": visits["visitors"],
        "views": sum(kinds[kind]["visits"] for kind in ("main", "category", "product")),
        "carts": carts["carts"],
        "paid": carts["paid"],
        "conversion": kinds["success"]["visitors"] / visits["visitors"],
    }


async def check_filter(dashboard: Dashboard, user: User, country: str) -> None:
    """Filter by a country with the keyboard, reload, and take the filter away; then go back to it."""
    page, visits = dashboard.page, dashboard.page.locator("[data-total=visits]")
    await page.locator(f"[data-card=countries] [data-value={country}]").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/dashboard#overview?period=all&country={country}")
    filtered = (await stats(user, f"tz=UTC&country={country}"))[0]
    await expect(visits).to_have_text(f"{filtered['visits']:,}")
    await expect(page.locator("[data-total=visitors]")).to_have_text(f"{filtered['visitors']:,}")
    await expect(page.locator(f"[data-card=countries] [data-value={country}]")).to_be_focused()  # drawn anew
    assert [each[0] for each in await tops(page, "countries")] == [country]
    products = await stats(user, f"tz=UTC&country={country}&kind=product&group_by=page&limit=8")
    assert await tops(page, "products") == [[item["page_url"], f"{item['visits']:,}"] for item in products]
    await page.reload()
    await dashboard.wait_until_loaded("overview")
    await expect(visits).to_have_text(f"{filtered['visits']:,}")
    await page.get_by_role("button", name="Remove the filter Country").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await expect(visits).to_have_text(f"{(await stats(user, 'tz=UTC'))[0]['visits']:,}")
    await page.go_back()
    await dashboard.wait_until_loaded("overview")
    await expect(visits).to_have_text(f"{filtered['visits']:,}")


async def check_day(dashboard: Dashboard, user: User, day: str) -> None:
    """Make the first day of the last seven the period by a click on its row."""
    page, timeline = dashboard.page, dashboard.page.locator("[data-card=timeline]")
    await dashboard.visit("overview")
    await timeline.scroll_into_view_if_needed()
    await timeline.get_by_text("Rows", exact=True).click()
    await timeline.locator("tbody button").first.click()
    await page.wait_for_url(f"**/dashboard#overview?from={day}&to={day}")
    await dashboard.wait_until_loaded("overview")
    assert await totals(page) == await expected_totals(user, f"from={day}&to={day}&tz=UTC")


@pytest.mark.slow
async def test_an_empty_database_is_filled_by_clicks_and_clicks_filter_what_is_shown(
    dashboard: Dashboard, admin: User, deps: Deps, server: RunningApp
) -> None:
    page = dashboard.page
    server.use(replace(deps, logs=LogFolder(file=ROOT / "logs.txt", folder=ROOT, zone=UTC)))
    await dashboard.open()
    await dashboard.sign_in(admin.login)
    await page.get_by_text("There are no visits yet.").wait_for()
    assert await dashboard.barriers() == []
    await page.get_by_role("button", name="Read the server's own log").click()
    await page.locator("[data-total=visits][data-value]").wait_for()
    await dashboard.wait_until_loaded("overview")
    last_day = await stats(admin, "group_by=day&limit=1000")
    newest = max(item["day"] for item in last_day)[:10]
    week = f"from={newest[:8]}{int(newest[8:]) - 6:02}&to={newest}&tz=UTC"
    assert await totals(page) == await expected_totals(admin, week)

    days = {item["day"][:10]: item["visits"] for item in await stats(admin, f"{week}&group_by=day")}
    timeline = page.locator("[data-card=timeline]")
    await timeline.get_by_text("Rows", exact=True).click()
    await expect(timeline.locator("tbody tr")).to_have_count(7)
    cells = await timeline.locator("tbody td:nth-child(2)").evaluate_all(CELLS)
    assert cells == [days[day] for day in sorted(days)]
    await expect(page.locator(".tile .spark .line")).to_have_count(6)
    bars = timeline.locator(".mark")
    await expect(bars.last).to_have_class("mark open")  # the day of the newest visit may get more
    await expect(timeline.locator(".mark.open")).to_have_count(1)
    await timeline.locator(".band").first.hover()
    await expect(timeline.locator(".readout")).to_contain_text(f"Visits: {cells[0]:,}")

    await timeline.get_by_label("By", exact=True).select_option("hour")
    await page.wait_for_url("**/dashboard#overview?unit=hour")
    await expect(timeline.locator(".band")).to_have_count(7 * 24)
    await expect(timeline.get_by_label("By", exact=True)).to_be_focused()
    await timeline.get_by_text("Rows", exact=True).click()
    await expect(timeline.locator("tbody tr")).to_have_count(7 * 24)
    assert sum(await timeline.locator("tbody td:nth-child(2)").evaluate_all(CELLS)) == sum(cells)
    await page.go_back()
    await expect(timeline.locator(".band")).to_have_count(7)

    await page.get_by_label("Period").select_option("all")
    await page.wait_for_url("**/dashboard#overview?period=all")
    await dashboard.wait_until_loaded("overview")
    assert await totals(page) == await expected_totals(admin, "tz=UTC")
    countries = await tops(page, "countries")
    by_country = await stats(admin, "group_by=country&limit=8")
    assert countries == [[item["country"], f"{item['visits']:,}"] for item in by_country if item["country"]]
    heat = page.locator(".heat-map td[class^=heat]")
    await page.locator("[data-card=hours]").scroll_into_view_if_needed()
    await heat.first.wait_for()
    assert sum(await heat.evaluate_all(CELLS)) == (await stats(admin, "tz=UTC"))[0]["visits"]

    await check_filter(dashboard, admin, str(countries[1][0]))
    await check_day(dashboard, admin, min(days))


async def test_new_visits_appear_by_themselves(dashboard: Dashboard, user: User) -> None:
    assert (await user.client.post("/visits", json={"page_url": "/about"})).status == 201
    await dashboard.open()
    await dashboard.sign_in(user.login)
    await expect(dashboard.page.locator("[data-total=visits]")).to_have_text("1")
    await expect(dashboard.page.locator(".current")).to_have_text("1 visitor in the last 30 minutes")
    await dashboard.page.locator(".pulse.on").wait_for()
    assert (await user.client.post("/visits", json={"page_url": "/about"})).status == 201
    await expect(dashboard.page.locator("[data-total=visits]")).to_have_text("2", timeout=100_000)
