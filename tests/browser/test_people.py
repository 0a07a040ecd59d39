"""People in the dashboard: an admin sees a user's sessions, keys and activity, and ends some of it."""

import pytest
from playwright.async_api import expect

from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User


@pytest.mark.slow
async def test_an_admin_sees_what_a_user_has_and_ends_sessions_and_keys(
    dashboard: Dashboard, user: User, other_user: User, admin: User
) -> None:
    page = dashboard.page
    made = await user.client.post("/keys", json={"name": "import", "scopes": ["tasks:read"]})
    program = user.client.signed_in(made.json["key"])
    assert (await user.client.post("/tasks", json={"title": "Order <b>salmon</b>"})).status == 201
    assert (await other_user.client.post("/tasks", json={"title": "of another"})).status == 201
    await dashboard.open("#people")
    await dashboard.sign_in(admin.login, view="people")
    await page.get_by_role("link", name=f"Details: {user.login}").click()
    await page.wait_for_url(f"**/dashboard#people?user={user.id}")
    await page.get_by_role("heading", name=user.login, level=1).wait_for()
    await page.get_by_role("cell", name="Order <b>salmon</b>").wait_for()
    await expect(page.get_by_text("of another")).to_have_count(0)
    assert await dashboard.barriers() == []
    await page.set_viewport_size({"width": 360, "height": 740})
    assert not await dashboard.overflows()

    keys, sessions = page.locator("[data-list=keys-of]"), page.locator("[data-list=sessions-of]")
    assert (await program.get("/tasks")).status == 200
    await keys.get_by_role("button", name="End", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="End").click()
    await keys.get_by_text("Nothing found.").wait_for()
    assert (await program.get("/tasks")).code == "bad_token"
    assert (await user.client.get("/tasks")).status == 200
    await sessions.get_by_role("button", name="End all").click()
    await page.get_by_role("dialog").get_by_role("button", name="End all").click()
    await sessions.get_by_text("Nothing found.").wait_for()
    await expect(page.get_by_role("button", name="End all")).to_have_count(0)  # there is nothing to end
    assert (await user.client.get("/tasks")).code == "bad_token"
    assert (await other_user.client.get("/tasks")).status == 200
    await page.get_by_role("cell", name="lost a session").wait_for()  # the activity is read anew

    await page.reload()
    await page.get_by_role("heading", name=user.login, level=1).wait_for()
    await page.get_by_role("button", name="Deactivate").click()
    await page.get_by_role("dialog").get_by_role("button", name="Change").click()
    await page.get_by_text("inactive").wait_for()
    await page.get_by_role("link", name="All people").click()
    await page.locator("[data-list=users]").wait_for()
    await page.go_back()
    await page.get_by_role("heading", name=user.login, level=1).wait_for()


async def test_long_names_make_neither_the_page_of_a_user_nor_its_tables_wider(
    dashboard: Dashboard, user: User, admin: User
) -> None:
    page = dashboard.page
    changed = await user.client.patch(f"/user/{user.id}", json={"first_name": "Anna", "last_name": "Й" * 60})
    assert changed.status == 200
    made = await user.client.post("/keys", json={"name": "W" * 100, "scopes": ["tasks:read"]})
    assert made.status == 201
    await dashboard.open(f"#people?user={user.id}")
    await dashboard.sign_in(admin.login, view="people")
    await page.get_by_text("Anna Й").wait_for()
    keys = page.locator("[data-list=keys-of] .scroll")
    await keys.get_by_role("button", name="End", exact=True).wait_for()
    assert await keys.evaluate("element => element.scrollWidth <= element.clientWidth")
    await page.set_viewport_size({"width": 360, "height": 740})
    assert not await dashboard.overflows()
