"""Nobody is shut out: every view with axe, in a narrow window, and with the keyboard alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from db.database import Database
from tests.support.dashboard_page import VIEWS, Dashboard
from tests.support.http_client import User
from tests.support.log_imports import some_lines

VISITS = [{"page_url": "https://shop.example/fresh_fish/"}, {"page_url": "/about"}]


@pytest.fixture
def db(committed_db: Database) -> Database:
    """An import holds its file in one transaction and stores chunks in others."""
    return committed_db


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nobody_is_shut_out_of_any_view(
    dashboard: Dashboard, admin: User, tmp_path: Path, scheme: Any
) -> None:
    (tmp_path / "logs.txt").write_bytes(some_lines(300) + b"no line of a log\n")
    assert (await admin.client.get("/parse")).json["rejected"] == 1
    assert (await admin.client.post("/visits", json={"visits": VISITS})).status == 200
    await dashboard.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await dashboard.page.set_viewport_size({"width": 360, "height": 740})
    await dashboard.open()
    assert await dashboard.barriers() == []
    await dashboard.sign_in(admin.login)
    for view in VIEWS:
        await dashboard.visit(view)
        for details in await dashboard.page.locator("details > summary").all():
            await details.click()
        assert not await dashboard.overflows(), view
        assert await dashboard.barriers() == [], view


async def test_everything_can_be_reached_with_the_keyboard_alone(dashboard: Dashboard, user: User) -> None:
    assert (await user.client.post("/visits", json={"page_url": "/fresh_fish/salmon/"})).status == 201
    await dashboard.open()
    await dashboard.sign_in(user.login)
    for card in await dashboard.page.locator("[data-card]").all():
        await card.scroll_into_view_if_needed()
        await expect(card).not_to_have_attribute("aria-busy", "true")
    reachable = await dashboard.page.locator("a[href], button, select, input, summary").count()
    elements = set()
    await dashboard.page.locator("body").evaluate("body => body.focus()")
    for _ in range(reachable + 5):
        await dashboard.page.keyboard.press("Tab")
        elements.add(
            await dashboard.page.evaluate(
                "(() => { const one = document.activeElement; one.dataset.seen = 1;"
                "return one.tagName + one.textContent })()"
            )
        )
    unreachable = await dashboard.page.eval_on_selector_all(
        "a[href], button, select, input, summary",
        "all => all.filter(one => !one.dataset.seen && one.checkVisibility()).map(one => one.outerHTML)",
    )
    assert json.dumps(unreachable) == "[]"
