"""The view of events in a real browser: each number is that of the API."""

import uuid
from typing import Any

from playwright.async_api import expect

from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User

BARS = """all => all.map(one => [
    one.querySelector(".bar-label").textContent, one.querySelector(".bar-value").textContent,
])"""


def event(user_id: int, event_type: str, day: int, hour: int = 7) -> dict[str, Any]:
    return {
        "event_id": str(uuid.uuid4()),
        "user_id": user_id,
        "event_type": event_type,
        "occurred_at": f"2026-05-{day:02}T{hour:02}:08:09Z",
        "properties": {},
    }


async def test_each_number_of_events_is_that_of_the_api(dashboard: Dashboard, user: User) -> None:
    page = dashboard.page
    events = [event(number, "view", day) for number in range(1, 6) for day in (1, 2, 3)]
    events += [event(number, "cart", 3, 8) for number in range(1, 4)] + [event(1, "purchase", 3, 9)]
    events += [event(9, "view", 3, 23)]  # of the next day in Tokyo
    assert (await user.client.post("/events", json={"events": events})).json["created"] == len(events)
    await dashboard.open("#events?tz=Asia/Tokyo")
    await dashboard.sign_in(user.login, view="events")

    top = (await user.client.get("/stats/top-events?tz=Asia/Tokyo")).json["items"]
    bars = page.locator("[data-stat=top-events] .bars li")
    assert await bars.evaluate_all(BARS) == [[item["event_type"], str(item["events"])] for item in top]
    days = (await user.client.get("/stats/dau?tz=Asia/Tokyo")).json["items"]
    active = page.locator("[data-stat=dau]")
    await expect(active.locator(".answer")).to_contain_text(str(days[-1]["users"]))
    await active.get_by_text("Rows").click()
    cells = active.locator("tbody td:nth-child(2)")
    assert await cells.all_inner_texts() == [str(day["users"]) for day in days]
    assert len(days) == 4
    funnel = (await user.client.get("/stats/funnel?steps=view,cart,purchase")).json["items"]
    steps = page.locator("[data-stat=funnel] .bars li")
    assert await steps.evaluate_all(BARS) == [
        [f"{item['step']}. {item['event_type']}", str(item["users"])] for item in funnel
    ]
    await expect(page.locator("[data-stat=funnel] .answer")).to_contain_text(f"{funnel[-1]['share']:.1%}")
    retention = page.locator("[data-stat=retention]")
    first = (await user.client.get("/stats/retention?start=2026-05-01&windows=7&tz=Asia/Tokyo")).json["items"]
    sizes = await retention.locator("tbody tr td.numeric:nth-child(2)").all_inner_texts()
    assert sizes == [str(item["size"]) for item in first]
    assert await page.locator(".trouble:not(:empty)").count() == 0
