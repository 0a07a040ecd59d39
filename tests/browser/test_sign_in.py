"""Signing in, up and out in a real browser, and how sessions go on and end."""

import re

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import Tab
from tests.support.authenticator import enable
from tests.support.command_line import PASSWORD
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User

UNAUTHORIZED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


async def test_signing_out_leaves_no_token_and_no_url_ever_held_one(dashboard: Dashboard, user: User) -> None:
    urls: list[str] = []
    dashboard.page.on("request", lambda request: urls.append(request.url))
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    token = await dashboard.token()
    assert token
    await dashboard.page.reload()
    await dashboard.wait_until_loaded("tasks")
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


@pytest.mark.slow
async def test_a_session_outlives_its_access_token(dashboard: Dashboard, user: User, tab: Tab) -> None:
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    refresh_token = await dashboard.page.evaluate("sessionStorage.getItem('trawl.refresh-token')")
    assert refresh_token
    await dashboard.page.evaluate("sessionStorage.setItem('trawl.token', 'expired')")
    await dashboard.page.reload()
    await dashboard.wait_until_loaded("tasks")
    assert await dashboard.token() not in (None, "expired")
    assert refresh_token not in await dashboard.stored()
    assert set(tab.errors) == {UNAUTHORIZED}
    tab.errors.clear()


async def test_a_token_that_was_ended_elsewhere_leads_back_to_signing_in(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    token = await dashboard.token()
    assert token
    assert (await user.client.signed_in(token).post("/logout")).status == 204
    await dashboard.page.get_by_text("Your session has ended.").wait_for()
    assert await dashboard.token() is None
    assert set(tab.errors) == {UNAUTHORIZED}
    tab.errors.clear()


@pytest.mark.slow
async def test_a_stranger_signs_up_and_a_forgotten_password_is_set_by_an_admins_link(
    dashboard: Dashboard, admin: User, tab: Tab
) -> None:
    page = dashboard.page
    await dashboard.open()
    await page.get_by_role("link", name="Create an account").click()
    for name, description in (("First name", "Optional."), ("Last name", "Optional."), ("Login", "3 to 254")):
        await expect(page.get_by_label(name)).to_have_accessible_description(re.compile(f"^{description}"))
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


@pytest.mark.slow
async def test_a_sign_up_says_that_it_waits_and_signs_in_where_only_that_failed(
    dashboard: Dashboard, tab: Tab
) -> None:
    page = dashboard.page
    await dashboard.open("#sign-up")
    await page.get_by_label("Login").fill("olga")
    await page.get_by_label("Password").fill(PASSWORD)
    release = await dashboard.hold("**/register")
    await page.route("**/login", lambda route: route.fulfill(status=504, body=""), times=1)
    await page.get_by_role("button", name="Create an account").click()
    await page.get_by_role("button", name="Signing up…").wait_for()
    release.set()
    await page.get_by_text("The server can't be reached right now.").wait_for()
    await page.get_by_role("button", name="Create an account").click()
    await dashboard.wait_until_loaded("overview")
    assert len(tab.errors) == 1  # the browser's own line about the sign-in that failed
    assert "504" in tab.errors.pop()
    await page.unroute_all()


@pytest.mark.slow
async def test_a_sign_up_whose_answer_was_lost_signs_in_unless_the_login_is_anothers(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page = dashboard.page

    async def lose_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    async def sign_up(login: str) -> None:
        await page.get_by_label("Login").fill(login)
        await page.get_by_role("button", name="Create an account").click()

    await dashboard.open("#sign-up")
    await page.get_by_label("Password").fill(PASSWORD)
    await sign_up(user.login)
    await page.locator(".trouble", has_text="taken").wait_for()  # nothing was lost: no sign-in is tried
    await page.get_by_label("Password").fill("another horse battery")
    for login in (user.login, "olga"):
        await page.route("**/register", lose_answer, times=1)
        await sign_up(login)
        await page.get_by_text("The server can't be reached right now.").wait_for()
        await sign_up(login)
        if login == user.login:
            await page.locator(".trouble", has_text="taken").wait_for()
    await dashboard.wait_until_loaded("overview")
    assert [error[-10:] for error in tab.errors if "409" in error or "401" in error or "ERR_FAILED" in error]
    tab.errors.clear()
    await page.unroute_all()


@pytest.mark.slow
async def test_a_sign_in_says_that_it_waits_until_the_view_is_there_and_that_a_code_is_needed(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page = dashboard.page
    waiting = page.get_by_role("button", name="Signing in…")
    app = await enable(user)
    await dashboard.open()
    login = await dashboard.hold("**/login")
    await dashboard.fill_login(user.login)
    await waiting.wait_for()
    login.set()
    await page.get_by_label("Code").wait_for()
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_text("This account needs a code too.").wait_for()
    profile = await dashboard.hold("**/profile")
    async with page.expect_request("**/profile"):
        await page.get_by_label("Code").fill(app.recovery_codes[0])
        await page.keyboard.press("Enter")
    await expect(waiting).to_be_visible()
    profile.set()
    await dashboard.wait_until_loaded("overview")
    assert set(tab.errors) == {UNAUTHORIZED}
    tab.errors.clear()
    await page.unroute_all()


async def test_a_link_to_a_new_password_ends_what_the_open_session_reads(
    dashboard: Dashboard, user: User
) -> None:
    page = dashboard.page
    await dashboard.open()
    await dashboard.sign_in(user.login)
    await page.locator(".pulse.on").wait_for()
    async with page.expect_event("requestfailed", lambda request: request.url.endswith("/live")):
        await page.evaluate("location.hash = 'new-password?token=a'")
    await page.go_back()
    await dashboard.wait_until_loaded("overview")
    await page.locator(".pulse.on").wait_for()
