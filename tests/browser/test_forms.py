"""Forms of the dashboard: what is typed in part, or while another changes it, is neither lost nor misread."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Tab
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User

NO_DATE = "This is not a date."


async def add_task(user: User, title: str) -> int:
    answer = await user.client.post("/tasks", json={"title": title})
    assert answer.status == 201
    task_id: int = answer.json["id"]
    return task_id


@pytest.mark.slow
async def test_what_is_being_edited_stays_while_the_list_is_read_anew(
    dashboard: Dashboard, user: User
) -> None:
    page, editor = dashboard.page, dashboard.page.locator(".task .form")
    for title in ("Order salmon", "Call Boris", "Pay the ice"):
        await add_task(user, title)
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    await page.get_by_role("button", name="Edit: Order salmon").click()
    await editor.get_by_label("Description").fill("20 kg")
    await page.get_by_label("Status of Call Boris").select_option("done")
    await page.locator(".task.done").wait_for()
    await page.get_by_role("button", name="Delete: Pay the ice").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.locator(".task", has_text="Pay the ice")).to_have_count(0)
    await page.get_by_label("Search").fill("boris")
    await page.keyboard.press("Enter")
    await expect(page.locator(".task")).to_have_count(2)  # what is edited passes no filter, and stays
    await expect(editor.get_by_label("Description")).to_have_value("20 kg")
    await editor.get_by_role("button", name="Save").click()
    await expect(page.locator(".task")).to_have_count(1)
    tasks = {task["title"]: task["description"] for task in (await user.client.get("/tasks")).json["items"]}
    assert tasks == {"Order salmon": "20 kg", "Call Boris": ""}


@pytest.mark.slow
async def test_a_task_that_another_tab_changed_is_overwritten_only_when_that_was_told(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page, editor = dashboard.page, dashboard.page.locator(".task .form")
    task = f"/tasks/{await add_task(user, 'Order salmon')}"
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    for mine in ("20 kg", "30 kg"):
        await page.get_by_role("button", name="Edit: Order salmon").click()
        await editor.get_by_label("Description").fill(mine)
        assert (await user.client.patch(task, json={"description": f"theirs, not {mine}"})).status == 200
        await editor.get_by_role("button", name="Save").click()
        await editor.get_by_text("The task was changed meanwhile").wait_for()
        await expect(editor.get_by_label("Description")).to_have_value(mine)
        assert (await user.client.get(task)).json["description"] == f"theirs, not {mine}"
        await editor.get_by_role("button", name="Save" if mine == "20 kg" else "Back").click()
        await page.locator(".task-text", has_text=mine).wait_for()
    assert (await user.client.get(task)).json["description"] == "theirs, not 30 kg"
    await page.get_by_text("theirs, not 30 kg").wait_for()
    assert all("412" in error for error in tab.errors)
    tab.errors.clear()


async def test_a_status_that_was_not_saved_is_not_shown(dashboard: Dashboard, user: User, tab: Tab) -> None:
    page, status = dashboard.page, dashboard.page.get_by_label("Status of Order salmon")
    await add_task(user, "Order salmon")
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    await page.route("**/tasks/*", lambda route: route.fulfill(status=500, body="{}"), times=1)
    await status.select_option("done")
    await page.locator(".message").wait_for()
    await expect(status).to_have_value("todo")
    assert len(tab.errors) == 1
    assert "500" in tab.errors.pop()
    await page.unroute_all()


@pytest.mark.slow
async def test_a_date_that_is_typed_in_part_is_not_taken_for_none(dashboard: Dashboard, user: User) -> None:
    page = dashboard.page
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    await page.get_by_label("Title").fill("Order salmon")
    due = page.get_by_label("Due", exact=True)
    await due.press("1")
    await page.get_by_role("button", name="Add a task").click()
    await page.locator("form", has=due).get_by_text(NO_DATE).wait_for()
    await expect(due).to_be_focused()
    await page.get_by_label("Due by").press("1")
    await page.get_by_label("Search").fill("salmon")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(NO_DATE)).to_have_count(2)
    assert await dashboard.barriers() == []
    await due.fill("2026-12-24T18:00")
    await page.get_by_role("button", name="Add a task").click()
    await page.locator(".task").wait_for()
    assert [task["due_at"] for task in (await user.client.get("/tasks")).json["items"]] == [
        "2026-12-24T18:00:00Z"
    ]

    await dashboard.visit("account")
    keys = page.locator("[data-list=keys]")
    await keys.get_by_text("New key").click()
    await keys.get_by_label("Name").fill("till")
    await keys.get_by_label("visits:write").check()
    await keys.get_by_label("Ends").press("1")
    await keys.get_by_role("button", name="Make the key").click()
    await keys.get_by_text(NO_DATE).wait_for()
    assert (await user.client.get("/keys")).json["items"] == []


async def test_a_choice_that_the_address_names_and_no_list_has_is_the_usual_one(
    dashboard: Dashboard, admin: User
) -> None:
    page = dashboard.page
    await dashboard.open("#tasks?sort=nonsense&status=nonsense&priority=high")
    await dashboard.sign_in(admin.login, view="tasks")
    chosen = await page.locator(".own select").evaluate_all(
        "all => all.map(one => one.selectedOptions[0]?.text)"
    )
    assert chosen == ["any", "high", "newest first"]
    await dashboard.visit("audit?type=nonsense")
    await expect(page.get_by_label("What").locator("option:checked")).to_have_text("any")


async def test_what_has_no_field_of_its_own_is_named(dashboard: Dashboard, user: User, tab: Tab) -> None:
    page = dashboard.page
    await dashboard.open("#account")
    await dashboard.sign_in(user.login, view="account")
    keys = page.locator("[data-list=keys]")
    await keys.get_by_text("New key").click()
    await keys.get_by_label("Name").fill("till")
    await keys.get_by_role("button", name="Make the key").click()
    await keys.get_by_text("scopes: must have 1 to 13 items").wait_for()
    assert len(tab.errors) == 1
    assert "422" in tab.errors.pop()
