"""The dashboard in a real browser that can reach no other host."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from db.database import Database
from service.deps import Deps
from service.logs.folder import LogFolder
from tests.browser.conftest import Tab
from tests.support.authenticator import enable
from tests.support.command_line import PASSWORD
from tests.support.dashboard_page import VIEWS, Dashboard
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.support.log_imports import some_lines

ROOT = Path(__file__).parent.parent.parent
VISITS = [{"page_url": "https://shop.example/fresh_fish/"}, {"page_url": "/about"}]

UNAUTHORIZED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


@pytest.fixture
def db(committed_db: Database) -> Database:
    """An import holds its file in one transaction and stores chunks in others."""
    return committed_db


async def api_answers(user: User, query: str = "") -> dict[int, Any]:
    paths = [f"/report/{number}{query}" for number in range(1, 8)]
    answers = await asyncio.gather(*map(user.client.get, paths))
    return {answer.json["report"]: answer.json["answer"] for answer in answers}


async def check_first_screen(dashboard: Dashboard, admin: User) -> None:
    """All answers stand in one row on the first screen; a category is in its title and in the address."""
    await dashboard.page.set_viewport_size({"width": 1440, "height": 900})
    tiles = [await tile.bounding_box() for tile in await dashboard.page.locator("[data-report]").all()]
    assert len(tiles) == 7
    assert all(tile and tile["y"] + tile["height"] <= 900 for tile in tiles)
    assert len({tile and tile["y"] for tile in tiles}) == 1  # in one row

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


async def test_the_seven_answers_of_the_imported_log_are_read_from_the_page(
    dashboard: Dashboard, admin: User, deps: Deps, server: RunningApp
) -> None:
    server.use(replace(deps, logs=LogFolder(file=ROOT / "logs.txt", folder=ROOT, zone=UTC)))
    await dashboard.open()
    await dashboard.sign_in(admin.login)
    await dashboard.visit("reports")
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


DROP = """(zone, [name, text]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], name));
    zone.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


async def test_a_log_that_is_dropped_on_the_page_is_imported_and_can_be_undone(
    dashboard: Dashboard, admin: User
) -> None:
    page = dashboard.page
    await dashboard.open()
    await dashboard.sign_in(admin.login)
    await dashboard.visit("imports")
    log = some_lines(30).decode() + "no line <b>of</b> a log\n"
    await page.locator(".drop").evaluate(DROP, ["dropped.log", log])
    await page.get_by_role("button", name="Rejects (1)").click()
    await page.get_by_text("no line <b>of</b> a log").wait_for()
    assert (await admin.client.get("/imports")).json["items"][0]["imported"] == 30
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("dialog").get_by_role("button", name="Undo").click()
    await page.wait_for_selector(".badge.undone")
    assert (await admin.client.get("/report/4")).json["answer"] is None


async def test_signing_out_leaves_no_token_and_no_url_ever_held_one(dashboard: Dashboard, user: User) -> None:
    urls: list[str] = []
    dashboard.page.on("request", lambda request: urls.append(request.url))
    await dashboard.open()
    await dashboard.sign_in(user.login)
    token = await dashboard.token()
    assert token
    await dashboard.page.reload()
    await dashboard.wait_until_loaded("overview")
    assert await dashboard.token() == token
    await dashboard.page.get_by_role("button", name="Sign out").click()
    await dashboard.page.get_by_text("You are signed out.").wait_for()
    assert token not in await dashboard.stored()
    assert not [url for url in urls if token in url]
    assert (await user.client.signed_in(token).get("/profile")).code == "bad_token"


async def test_an_account_with_a_second_factor_signs_in_with_its_code(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    app = await enable(user)
    await dashboard.open()
    assert not await dashboard.page.get_by_label("Code").is_visible()
    await dashboard.sign_in_with_code(user.login, app.wrong_code(), app.recovery_codes[0])
    token = await dashboard.token()
    assert token
    assert (await user.client.signed_in(token).get("/profile")).json["id"] == user.id
    assert app.recovery_codes[0] not in await dashboard.stored()
    assert set(tab.errors) == {UNAUTHORIZED}
    tab.errors.clear()


async def test_a_session_outlives_its_access_token(dashboard: Dashboard, user: User, tab: Tab) -> None:
    await dashboard.open()
    await dashboard.sign_in(user.login)
    refresh_token = await dashboard.page.evaluate("sessionStorage.getItem('trawl.refresh-token')")
    assert refresh_token
    await dashboard.page.evaluate("sessionStorage.setItem('trawl.token', 'expired')")
    await dashboard.page.reload()
    await dashboard.wait_until_loaded("overview")
    assert await dashboard.token() not in (None, "expired")
    assert refresh_token not in await dashboard.stored()
    assert set(tab.errors) == {UNAUTHORIZED}
    tab.errors.clear()


async def test_a_token_that_was_ended_elsewhere_leads_back_to_signing_in(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    await dashboard.open()
    await dashboard.sign_in(user.login)
    token = await dashboard.token()
    assert token
    assert (await user.client.signed_in(token).post("/logout")).status == 204
    await dashboard.page.get_by_text("Your session has ended.").wait_for()
    assert await dashboard.token() is None
    assert set(tab.errors) == {UNAUTHORIZED}
    tab.errors.clear()


async def test_a_wrong_period_has_one_message_at_its_field_and_no_answer(
    dashboard: Dashboard, user: User
) -> None:
    page = dashboard.page
    await dashboard.open("#reports")
    await dashboard.sign_in(user.login, view="reports")
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
    await page.get_by_label("Time zone").fill("Nowhere/At all")
    await page.keyboard.press("Enter")
    await page.get_by_text("There is no such time zone.").wait_for()


async def test_a_stranger_signs_up_and_a_forgotten_password_is_set_by_an_admins_link(
    dashboard: Dashboard, admin: User, tab: Tab
) -> None:
    page = dashboard.page
    await dashboard.open()
    await page.get_by_role("link", name="Create an account").click()
    await page.get_by_label("Login").fill("vera")
    await page.get_by_label("Password").fill("12345678")
    await page.get_by_role("button", name="Create an account").click()
    await page.locator(".field-problem").get_by_text("common").wait_for()  # at the password's field
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create an account").click()
    await dashboard.wait_until_loaded("overview")
    await page.get_by_role("button", name="Sign out").click()
    await dashboard.sign_in(admin.login)
    await dashboard.visit("people")
    await page.locator("tr", has_text="vera").get_by_role("button", name="New password link").click()
    await page.get_by_role("dialog").get_by_role("button", name="New password link").click()
    link = await page.locator(".secrets code").inner_text()
    assert link.startswith(f"{dashboard.url}/dashboard#new-password?token=")
    await page.get_by_role("button", name="Close").click()
    await page.evaluate("sessionStorage.clear()")
    await page.goto(link)
    await page.get_by_role("textbox", name="New password").fill("another horse battery")
    assert page.url == f"{dashboard.url}/dashboard#new-password"  # which does not keep the token
    await page.get_by_role("button", name="Set the password").click()
    await page.get_by_text("The new password is set.").wait_for()
    answer = await admin.client.post("/login", json={"login": "vera", "password": "another horse battery"})
    assert answer.status == 200
    assert len(tab.errors) == 1  # the browser's own line about the refused password
    assert "422" in tab.errors.pop()


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
