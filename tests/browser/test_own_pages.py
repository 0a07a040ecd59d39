"""Account, tasks and films in the dashboard: what a user does there is what the API then tells."""

import pytest
from playwright.async_api import expect

from service.cache import Cache
from service.deps import Deps
from tests.browser.conftest import Tab
from tests.support.authenticator import Authenticator
from tests.support.dashboard_page import Dashboard
from tests.support.fake_clock import Clock
from tests.support.films import PATIENT, open_catalogue, serve_films
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.support.kinopoisk import FakeKinopoisk

DRAWN_MODULES = """path => {
    const rows = [];
    for (const [, x, y, width] of path.getAttribute("d").matchAll(/M(\\d+) (\\d+)h(\\d+)/g))
        for (let each = 0; each < Number(width); each += 1) rows.push(`${+x + each - 4},${+y - 4}`);
    return rows.sort();
}"""


@pytest.mark.slow
async def test_the_account_has_its_profile_second_factor_and_keys(dashboard: Dashboard, user: User) -> None:
    page = dashboard.page
    await dashboard.open("#account")
    await dashboard.sign_in(user.login, view="account")
    profile = page.locator("[data-card=profile]")
    await profile.get_by_label("First name").fill("Анна")
    await profile.get_by_label("E-mail").fill("anna@example.com")
    await profile.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved.").wait_for()
    account = (await user.client.get("/profile")).json
    assert (account["first_name"], account["email"]) == ("Анна", "anna@example.com")

    factor = page.locator("[data-card=second-factor]")
    async with page.expect_response("**/profile/totp") as beginning:
        await factor.get_by_role("button", name="Set up").click()
    new = await (await beginning.value).json()
    drawn = await factor.locator(".qr .dark").evaluate(DRAWN_MODULES)
    assert drawn == sorted(
        f"{x},{y}" for y, row in enumerate(new["qr"]) for x, module in enumerate(row) if module == "1"
    )
    await factor.get_by_label("Code", exact=True).fill(Authenticator(new["secret"]).code())
    await factor.get_by_role("button", name="Turn on").click()
    await expect(page.locator(".secrets code")).to_have_count(10)
    codes = await page.locator(".secrets code").all_inner_texts()
    assert len(set(codes)) == 10
    await page.get_by_role("button", name="Close").click()
    await expect(factor).to_be_focused()  # as the form that turned it on is gone
    await factor.get_by_text("Recovery codes left: 10").wait_for()
    assert (await user.client.get("/profile/totp")).json["enabled"] is True

    keys = page.locator("[data-list=keys]")
    await keys.get_by_text("New key").click()
    await keys.get_by_label("Name").fill("import of the shop")
    await keys.get_by_label("visits:write").check()
    await keys.get_by_role("button", name="Make the key").click()
    key = await page.locator(".secrets code").inner_text()
    await page.get_by_role("button", name="Close").click()
    await expect(keys.get_by_role("button", name="Make the key")).to_be_focused()
    await expect(keys.get_by_role("row", name="import of the shop")).to_be_visible()
    program = user.client.signed_in(key)
    assert (await program.post("/visits", json={"page_url": "/about"})).status == 201
    assert (await program.get("/tasks")).code == "out_of_scope"
    assert key not in await page.inner_text("main")
    await keys.get_by_role("button", name="End").click()
    await page.get_by_role("dialog").get_by_role("button", name="End").click()
    await expect(keys.get_by_role("row", name="import of the shop")).to_have_count(0)
    await expect(keys).to_be_focused()  # as its button is gone
    assert (await program.post("/visits", json={"page_url": "/about"})).status == 401


async def test_tasks_are_added_filtered_edited_in_place_and_deleted(dashboard: Dashboard, user: User) -> None:
    page = dashboard.page
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    for title in ("Order salmon", "Call <b>Boris</b>"):
        await page.get_by_label("Title").first.fill(title)
        await page.get_by_role("button", name="Add a task").click()
        await page.locator(".task", has_text=title).wait_for()
    await page.get_by_role("button", name="Edit: Order salmon").click()
    editor = page.locator(".task .form")
    await editor.get_by_label("Description").fill("20 kg, for Friday")
    await editor.get_by_label("Priority").select_option("high")
    await editor.get_by_label("Due").fill("2026-12-24T18:00")
    await editor.get_by_role("button", name="Save").click()
    await page.get_by_text("20 kg, for Friday").wait_for()
    edit = page.get_by_role("button", name="Edit: Order salmon")
    await expect(edit).to_be_focused()
    await edit.click()
    await editor.get_by_role("button", name="Back").click()
    await expect(edit).to_be_focused()
    status = page.get_by_label("Status of Call <b>Boris</b>")
    await status.focus()
    await status.select_option("done")
    await page.locator(".task.done").wait_for()
    await expect(status).to_be_focused()
    tasks = {task["title"]: task for task in (await user.client.get("/tasks")).json["items"]}
    salmon = tasks["Order salmon"]
    assert (salmon["priority"], salmon["due_at"]) == ("high", "2026-12-24T18:00:00Z")
    assert tasks["Call <b>Boris</b>"]["status"] == "done"

    await page.get_by_label("Search").fill("FRIDAY")
    await page.keyboard.press("Enter")
    await expect(page.locator(".task")).to_have_count(1)
    await page.wait_for_url("**/dashboard#tasks?q=FRIDAY*")
    await page.reload()
    await dashboard.wait_until_loaded("tasks")
    await expect(page.locator(".task")).to_have_count(1)
    await page.get_by_role("button", name="Delete: Order salmon").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.get_by_text("Nothing found.").wait_for()
    await expect(page.locator(".card", has_text="Nothing found.")).to_be_focused()
    assert [task["title"] for task in (await user.client.get("/tasks")).json["items"]] == [
        "Call <b>Boris</b>"
    ]


@pytest.mark.slow
async def test_films_are_searched_read_and_kept_and_a_server_without_a_key_says_so(
    dashboard: Dashboard,
    user: User,
    *,
    server: RunningApp,
    deps: Deps,
    kinopoisk: FakeKinopoisk,
    cache: Cache,
    tab: Tab,
) -> None:
    page = dashboard.page
    await dashboard.open("#films")
    await dashboard.sign_in(user.login, view="films")
    await page.get_by_label("Title of a film").fill("e")
    await page.keyboard.press("Enter")
    await page.get_by_text("Its operator sets KINOPOISK_API_KEY").wait_for()
    async with open_catalogue(kinopoisk, cache, clock=Clock(), times=PATIENT) as catalogue:
        serve_films(server, deps, catalogue)
        await page.keyboard.press("Enter")
        await expect(page.locator(".film")).to_have_count(20)
        film = page.locator(".film").first
        name = await film.locator("strong").inner_text()
        await film.get_by_role("button", name="Details").click()
        await page.get_by_role("dialog").get_by_role("heading", name=name).wait_for()
        await page.get_by_role("button", name="Close").click()
        await film.locator(".star").click()
        favourites = page.locator("[data-list=favourites]")
        await favourites.get_by_text(name, exact=True).wait_for()
        await expect(film.locator(".star")).to_have_attribute("aria-pressed", "true")
        assert len((await user.client.get("/movies/favorites")).json["items"]) == 1
        await favourites.locator(".star").click()
        await favourites.get_by_text("No favourites yet").wait_for()
        assert (await user.client.get("/movies/favorites")).json["items"] == []
    assert len(tab.errors) == 1  # the browser's own line about the missing key
    assert "503" in tab.errors.pop()
