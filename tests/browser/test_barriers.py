"""Nobody is shut out: every view with axe, in a narrow window, and with the keyboard alone."""

import asyncio
import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests.support.command_line import PASSWORD
from tests.support.dashboard_page import VIEWS, Dashboard
from tests.support.http_client import User
from tests.support.log_imports import some_lines

UNTRANSLATED = """async () => {
    const { english } = await import("/dashboard/shared/english.js");
    const { russian } = await import("/dashboard/shared/russian.js");
    return Object.keys(english).filter((name) => !Object.hasOwn(russian, name));
}"""
IN_RUSSIAN = """async (problems) => {
    const { changeLanguage } = await import("/dashboard/shared/words.js");
    const { refusalText } = await import("/dashboard/shared/refusals.js");
    changeLanguage("ru");
    const read = ({ code, detail, errors = [] }) => ({ code, message: detail, errors });
    return problems.map((problem) => refusalText(read(problem)));
}"""
CONTROLS = "a[href], button, select, input, summary"
NOTE_FOCUS = """() => {
    for (const one of document.querySelectorAll("[data-seen]")) delete one.dataset.seen;
    document.addEventListener("focusin", event => { event.target.dataset.seen = 1 });
}"""
UNSEEN = """all => all.filter(
    one => !one.dataset.seen && !one.disabled && one.checkVisibility()).map(one => one.outerHTML)"""
ROUNDS = 3
LOOK = 10  # times that Tab repeats from one look at what is left to the next
MIDDLES = "all => all.map(one => one.getBoundingClientRect()).map(box => box.top + box.height / 2)"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ENTRIES = {
    "sign-in": "Sign in · Trawl",
    "sign-up": "Create an account · Trawl",
    "forgot-password": "Forgot the password? · Trawl",
    "new-password": "New password · Trawl",
}
VISITS = [{"page_url": "https://shop.example/fresh_fish/"}, {"page_url": "/about"}]


@pytest.mark.slow
async def test_nobody_is_shut_out_of_any_view(dashboard: Dashboard, admin: User, tmp_path: Path) -> None:
    (tmp_path / "logs.txt").write_bytes(some_lines(300) + b"no line of a log\n")
    assert (await admin.client.get("/parse?wait=100")).json["rejected"] == 1
    assert (await admin.client.post("/visits", json={"visits": VISITS})).status == 200
    await dashboard.page.emulate_media(reduced_motion="reduce")
    await dashboard.page.set_viewport_size({"width": 360, "height": 740})
    await dashboard.open("#tasks")
    assert await barriers_in_both_themes(dashboard) == []
    await dashboard.sign_in(admin.login, view="tasks")
    rows = await dashboard.page.locator(".brand, .tools > *").evaluate_all(MIDDLES)
    assert max(rows) - min(rows) < 2  # the header's controls stand in one row beside the picture
    for view in VIEWS:
        await dashboard.visit(view)
        for details in await dashboard.page.locator("details > summary").all():
            await details.click()
        assert not await dashboard.overflows(), view
        assert await dashboard.cut() == [], view
        assert await barriers_in_both_themes(dashboard) == [], view
    await dashboard.visit(f"reports?category={'x' * 60}")  # which titles name
    assert not await dashboard.overflows()


async def barriers_in_both_themes(dashboard: Dashboard) -> list[tuple[str, str]]:
    """Return what axe finds in the light theme and in the dark one, which has other colours and no more."""
    barriers_by_theme: list[tuple[str, str]] = []
    for scheme in THEMES:
        await dashboard.page.emulate_media(color_scheme=scheme)
        barriers = await dashboard.barriers(of_colour_alone=scheme == "dark")
        barriers_by_theme += [(scheme, barrier) for barrier in barriers]
    return barriers_by_theme


async def test_nobody_is_shut_out_of_the_door(dashboard: Dashboard, user: User) -> None:
    await dashboard.page.set_viewport_size({"width": 360, "height": 740})
    for entry, title in ENTRIES.items():
        await dashboard.open(f"#{entry}")
        await expect(dashboard.page).to_have_title(title)
        await dashboard.page.locator("#entry").wait_for()
        assert not await dashboard.overflows(), entry
        assert await dashboard.barriers() == [], entry
        assert await unreachable_by_keyboard(dashboard.page) == [], entry


@pytest.mark.slow
async def test_a_wall_has_no_barriers_at_any_width(dashboard: Dashboard, user: User) -> None:
    assert (await user.client.post("/visits", json={"visits": VISITS})).status == 200
    page = dashboard.page
    await page.emulate_media(reduced_motion="reduce")
    await dashboard.open("?wall#overview")
    await dashboard.sign_in(user.login)
    await dashboard.page.locator(".shown", has_text="Last 7 days: ").wait_for()
    for width, letters in ((360, "16px"), (1920, "22px"), (3840, "28px")):
        await dashboard.page.set_viewport_size({"width": width, "height": 900})
        await expect(dashboard.page.locator("html")).to_have_css("font-size", letters)
        assert not await dashboard.overflows()
        assert await dashboard.barriers() == []
        await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


@pytest.mark.slow
async def test_every_view_can_be_used_with_the_keyboard_alone(
    dashboard: Dashboard, admin: User, tmp_path: Path
) -> None:
    page = dashboard.page
    (tmp_path / "logs.txt").write_bytes(some_lines(30) + b"no line of a log\n")
    assert (await admin.client.get("/parse?wait=100")).json["rejected"] == 1
    assert (await admin.client.post("/tasks", json={"title": "Order salmon"})).status == 201
    await dashboard.open("#films")
    await dashboard.sign_in(admin.login, view="films")
    await expect(page.locator("main")).to_be_focused()
    for view in (*VIEWS, f"people?user={admin.id}"):
        await dashboard.visit(view)
        for card in await page.locator("[data-card]").all():
            await card.scroll_into_view_if_needed()
            await expect(card).not_to_have_attribute("aria-busy", "true")
        assert await unreachable_by_keyboard(page) == [], view


async def unreachable_by_keyboard(page: Page) -> list[str]:
    """Press Tab through the page, and return what can be used but is never reached.

    A view that draws itself anew meanwhile is gone through again.
    """
    await page.evaluate(NOTE_FOCUS)
    await page.locator("body").evaluate("body => body.focus()")
    unreachable: list[str] = []
    for _ in range(ROUNDS):
        # The browser stops at each part of a date.
        reachable = await page.locator(CONTROLS).count() + 8 * await page.locator("input[type^=date]").count()
        for _ in range(0, reachable + LOOK, LOOK):
            # A key that is held repeats; to wait for each repetition would draw each.
            await asyncio.gather(*(page.keyboard.down("Tab") for _ in range(LOOK)))
            await page.keyboard.up("Tab")
            unreachable = await page.eval_on_selector_all(CONTROLS, UNSEEN)
            if not unreachable:
                return []
    return unreachable


async def test_every_word_is_there_in_both_languages(dashboard: Dashboard, user: User) -> None:
    await dashboard.open()
    untranslated = await dashboard.page.evaluate(UNTRANSLATED)
    assert untranslated == []
    answers = [
        await user.client.post("/register", json={"login": "a", "password": "b"}),
        await user.client.post("/register", json={"login": user.login, "password": PASSWORD}),
        await user.client.get("/visits/stats?status=abc&kind=fish"),
        await user.client.get("/tasks/999999999"),
    ]
    refusals = await dashboard.page.evaluate(IN_RUSSIAN, [answer.json for answer in answers])
    assert all(refusals)
    assert not [text for text in refusals if re.search("must|taken|no task", text)]
    assert refusals[0] == "login: нужно от 3 до 254 знаков; password: нужно от 8 до 128 знаков"
