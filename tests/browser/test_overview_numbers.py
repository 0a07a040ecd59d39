"""The numbers of the overview are those of the API, also where clocks change or they are huge."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User

pytestmark = pytest.mark.slow

HALF_HOUR = timedelta(minutes=30)
CELLS = """all => all.map(one => Number(one.textContent.replace(/\\D/g, "")))"""
# A zone, a period in which its clock changes, far from the others, and the unit in which that is drawn.
CHANGES = [
    ("America/Sao_Paulo", "2018-11-02", "2018-11-05", "day"),  # midnight is skipped
    ("Australia/Lord_Howe", "2018-03-31", "2018-04-01", "hour"),  # half an hour is repeated
    ("Europe/Berlin", "2019-10-27", "2019-10-27", "hour"),  # an hour is repeated
]


async def items(user: User, query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await user.client.get(f"/visits/stats?{query}")).json["items"]
    return items


async def rows_of(page: Page, column: int) -> list[int]:
    cells = page.locator(f"[data-card=timeline] tbody td:nth-child({column})")
    await cells.first.wait_for()
    numbers: list[int] = await cells.evaluate_all(CELLS)
    return numbers


async def test_hours_and_days_are_those_of_the_zones_clock(dashboard: Dashboard, user: User) -> None:
    for _, first, _, _ in CHANGES:
        await add_uneven_visits(user, first)
    await dashboard.open("#account")
    await dashboard.sign_in(user.login, view="account")
    for tz, first, last, unit in CHANGES:
        await check_clock(dashboard, user, (tz, first, last, unit))


async def add_uneven_visits(user: User, first: str) -> None:
    """Add visits of the days around a first one."""
    start = datetime.fromisoformat(first).replace(tzinfo=UTC) - timedelta(days=6)
    times = [start + number * HALF_HOUR for number in range(2 * 24 * 12)]
    visits = [
        {"page_url": "/caviar/", "timestamp": time.isoformat(), "address": f"192.0.2.{number % 250 + 1}"}
        for number, time in enumerate(times)
        if number % 7  # an even load would hide what is in the wrong hour
    ]
    assert (await user.client.post("/visits", json={"visits": visits})).json["created"] == len(visits)


async def check_clock(dashboard: Dashboard, user: User, change: tuple[str, str, str, str]) -> None:
    tz, first, last, unit = change
    page, timeline = dashboard.page, dashboard.page.locator("[data-card=timeline]")
    period = f"from={first}&to={last}&tz={tz}"
    await dashboard.visit(f"overview?{period}")
    [total] = await items(user, f"{period}&compare=previous")
    for name in ("visits", "visitors"):
        await expect(page.locator(f"[data-total={name}]")).to_have_text(str(total[name]))
    await timeline.scroll_into_view_if_needed()  # which loads it
    await timeline.get_by_text("Rows", exact=True).click()
    buckets = sorted(
        await items(user, f"{period}&group_by={unit}&limit=1000"), key=lambda each: str(each[unit])
    )
    assert [each for each in await rows_of(page, 2) if each] == [each["visits"] for each in buckets]
    assert [each for each in await rows_of(page, 3) if each] == [each["visitors"] for each in buckets]
    previous = total["previous"]["visits"]
    days = (datetime.fromisoformat(last) - datetime.fromisoformat(first)).days + 1
    before = [datetime.fromisoformat(each) - timedelta(days=days) for each in (first, last)]
    [then] = await items(user, f"from={before[0].date()}&to={before[1].date()}&tz={tz}")
    assert sum(await rows_of(page, 4)) == then["visits"]
    assert (
        abs(previous - then["visits"]) <= 2
    )  # as long in hours, and as many days, differ where a clock changes
    await page.locator("[data-card=hours]").scroll_into_view_if_needed()
    heat = page.locator(".heat-map td[class^=heat]")
    await heat.first.wait_for()
    assert sum(await heat.evaluate_all(CELLS)) == total["visits"]


async def test_a_period_of_centuries_is_drawn_from_the_first_visit_to_the_last(
    dashboard: Dashboard, user: User
) -> None:
    visits = [{"page_url": "/a", "timestamp": f"20{year}-05-06T07:08:09Z"} for year in ("04", "18", "26")]
    assert (await user.client.post("/visits", json={"visits": visits})).json["created"] == 3
    page = dashboard.page
    await dashboard.open("#overview?from=1970-01-01&to=9998-12-31&tz=UTC")
    await dashboard.sign_in(user.login)
    await expect(page.locator("[data-total=visits]")).to_have_text("3")
    await page.locator("[data-card=timeline]").get_by_text("Rows", exact=True).click()
    assert sum(await rows_of(page, 2)) == 3
    assert len(await rows_of(page, 2)) == 22 * 12 + 1


async def test_a_period_without_visits_shows_zeros_and_says_so(dashboard: Dashboard, user: User) -> None:
    assert (await user.client.post("/visits", json={"page_url": "/a"})).status == 201
    page = dashboard.page
    await dashboard.open("#overview?from=2001-01-01&to=2001-01-07&tz=UTC")
    await dashboard.sign_in(user.login)
    for name in ("visits", "visitors", "views", "carts", "paid"):
        await expect(page.locator(f"[data-total={name}]")).to_have_text("0")
    conversion = page.locator(".tile", has=page.locator("[data-total=conversion]"))
    await expect(conversion.locator(".total")).to_have_text("—")  # of nobody
    await expect(conversion.locator(".change")).to_have_text("before: —")
    await page.locator("[data-card=pages]").scroll_into_view_if_needed()
    await page.locator("[data-card=pages]").get_by_text("no data").wait_for()
    await page.get_by_role("button", name="Earlier").click()
    await page.wait_for_url("**/dashboard#overview?from=2000-12-25&to=2000-12-31")
    await page.get_by_role("button", name="Later").click()
    await page.wait_for_url("**/dashboard#overview?from=2001-01-01&to=2001-01-07")


async def test_huge_numbers_are_whole_and_nothing_overflows(dashboard: Dashboard, user: User) -> None:
    page = dashboard.page
    body = [{"page_url": "/caviar/", "user_id": 2**63 - 1}, {"page_url": f"/{'long' * 400}/"}]
    assert (await user.client.post("/visits", json={"visits": body})).json["created"] == 2

    async def enlarge(route: Route) -> None:
        answer = await route.fetch()
        text = (await answer.text()).replace('"visits":', '"visits":9007199254740')
        await route.fulfill(response=answer, body=text)

    await page.route("**/visits/stats?*", enlarge)
    await page.set_viewport_size({"width": 360, "height": 740})
    await dashboard.open()
    await dashboard.sign_in(user.login)
    await expect(page.locator("[data-total=visits]")).to_have_text("90,071,992,547,402")
    box = await page.locator("[data-total=visits]").evaluate("one => one.scrollWidth <= one.clientWidth")
    assert box
    for card in await page.locator("[data-card]").all():
        await card.scroll_into_view_if_needed()
        await expect(card).not_to_have_attribute("aria-busy", "true")
    assert not await dashboard.overflows()
    await page.unroute("**/visits/stats?*")
    await page.route("**/visits/stats?*group_by=device*", enlarge)  # as where visits come between two answers
    await dashboard.visit("overview?period=all&kind=category")
    await page.locator("[data-card=devices]").scroll_into_view_if_needed()
    await expect(page.locator("[data-card=devices] .bar-note")).to_have_text("100.0%")
    await page.unroute("**/visits/stats?*group_by=device*")
    await dashboard.visit("live")
    await page.get_by_text(str(2**63 - 1)).wait_for()
    assert not await dashboard.overflows()
