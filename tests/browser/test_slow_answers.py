"""The dashboard while answers are under way: what is shown is of the newest question, and once."""

import asyncio
import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect

from service.cache import Cache
from service.deps import Deps
from tests.browser.conftest import Tab
from tests.support.dashboard_page import Dashboard
from tests.support.fake_clock import Clock
from tests.support.films import PATIENT, open_catalogue, serve_films
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.support.kinopoisk import FakeKinopoisk

TITLES = ("salmon", "caviar", "trout")
LIMIT = re.compile(r"limit=\d+")
SETTLED = "() => new Promise(resolve => setTimeout(resolve))"


async def let_go(page: Page, url: str, release: asyncio.Event) -> None:
    """Let held requests through, and wait until the page has read the answer."""
    async with page.expect_response(url) as answer:
        release.set()
    await (await answer.value).finished()
    await page.evaluate(SETTLED)


async def shorten_pages(page: Page, url: str) -> None:
    """Make pages of two items."""
    await page.route(url, lambda route: route.continue_(url=LIMIT.sub("limit=2", route.request.url)))


async def search(page: Page, label: str, text: str) -> None:
    await page.get_by_label(label).fill(text)
    await page.keyboard.press("Enter")


@pytest.mark.slow
async def test_a_late_answer_does_not_replace_the_tasks_of_the_filter_now_chosen(
    dashboard: Dashboard, user: User
) -> None:
    page, tasks = dashboard.page, dashboard.page.locator(".task strong")
    for title in TITLES:
        assert (await user.client.post("/tasks", json={"title": title})).status == 201
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    release = await dashboard.hold("**/tasks?*q=salmon*")
    await search(page, "Search", "salmon")
    await search(page, "Search", "caviar")
    await expect(tasks).to_have_text(["caviar"])
    await let_go(page, "**/tasks?*q=salmon*", release)
    assert await tasks.all_inner_texts() == ["caviar"]
    await page.unroute("**/tasks?*q=salmon*")


@pytest.mark.slow
async def test_a_double_click_on_more_shows_tasks_once_and_a_refusal_leaves_no_more(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page, tasks = dashboard.page, dashboard.page.locator(".task")
    for title in TITLES:
        assert (await user.client.post("/tasks", json={"title": title})).status == 201
    await shorten_pages(page, "**/tasks?*")
    await dashboard.open("#tasks")
    await dashboard.sign_in(user.login, view="tasks")
    more = page.get_by_role("button", name="More")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "cursor=" in request.url else None)
    release = await dashboard.hold("**/tasks?*cursor=*")
    await more.dblclick()
    await let_go(page, "**/tasks?*cursor=*", release)
    await expect(more).to_be_hidden()
    await expect(tasks).to_have_count(3)
    assert len(requests) == 1
    await search(page, "Search", "")
    await expect(more).to_be_visible()
    await search(page, "Search", "a" * 1000)
    await page.locator(".trouble:not(:empty)").wait_for()
    await expect(more).to_be_hidden()
    await page.unroute_all()
    assert all("422" in error for error in tab.errors)
    tab.errors.clear()


@pytest.mark.slow
async def test_films_are_those_of_the_newest_search_and_more_of_them_come_once(
    dashboard: Dashboard,
    user: User,
    *,
    server: RunningApp,
    deps: Deps,
    kinopoisk: FakeKinopoisk,
    cache: Cache,
) -> None:
    page = dashboard.page
    results = page.locator("[role=search] ~ div .film")
    favourites = page.locator("[data-list=favourites] .film")
    async with open_catalogue(kinopoisk, cache, clock=Clock(), times=PATIENT) as catalogue:
        serve_films(server, deps, catalogue)
        films = (await user.client.get("/movies/search?query=e")).json["items"]
        for film in films[:3]:
            answer = await user.client.post("/movies/favorites", json={"kinopoisk_id": film["kinopoisk_id"]})
            assert answer.status == 201
        await shorten_pages(page, "**/movies/favorites?*")
        await dashboard.open("#films")
        await dashboard.sign_in(user.login, view="films")
        await expect(favourites).to_have_count(2)
        await page.locator("[data-list=favourites] .more").dblclick()
        await expect(favourites).to_have_count(3)

        held = "**/movies/search?query=a"
        release = await dashboard.hold(held)
        await search(page, "Title of a film", "a")
        await page.get_by_text("Loading…").wait_for()
        await search(page, "Title of a film", "e")
        await expect(results).to_have_count(20)
        names = await results.locator("strong").all_inner_texts()
        await let_go(page, held, release)
        assert await results.locator("strong").all_inner_texts() == names
        again = await dashboard.hold("**/movies/search?query=w")
        await search(page, "Title of a film", "w")
        await page.locator(".card.late .film").first.wait_for()  # of the search before
        again.set()
        await expect(page.locator(".late")).to_have_count(0)
        await search(page, "Title of a film", "e")
        await expect(results).to_have_count(20)
        await page.locator("[role=search] ~ .more").dblclick()
        await expect(results).not_to_have_count(20)
        await page.evaluate(SETTLED)
        names = await results.locator("strong").all_inner_texts()
        assert len(names) == len(set(names))
        await page.unroute("**/movies/favorites?*")


# Waits for what /live tells, and then for longer than onChange does: timers of one page end in their order.
# Returns how many visits it told.
TOLD = """
    async (least) => {
        const { live } = await import("/dashboard/shared/live.js");
        while (!((live.state?.visits ?? 0) >= least)) await new Promise((resolve) => setTimeout(resolve, 20));
        await new Promise((resolve) => setTimeout(resolve, 2500));
        return live.state.visits;
    }
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "held"), [("overview", "**/visits/stats?*group_by=page&*"), ("reports", "**/report/2*")]
)
async def test_new_visits_break_no_read_off_and_are_shown_after_it(
    dashboard: Dashboard, user: User, view: str, held: str
) -> None:
    page = dashboard.page
    assert (await user.client.post("/visits", json={"page_url": "/"})).status == 201
    release = await dashboard.hold(held)
    broken_off: list[str] = []
    page.on("requestfailed", lambda request: broken_off.append(request.url))
    await dashboard.open(f"#{view}")
    async with page.expect_request(held):
        await dashboard.fill_login(user.login)
    visits = await page.evaluate(TOLD, 1)
    assert (await user.client.post("/visits", json={"page_url": "/new/"})).status == 201
    await page.evaluate(TOLD, visits + 1)
    assert broken_off == []
    async with page.expect_request(held):  # what came meanwhile
        release.set()
    await page.unroute(held)


@pytest.mark.slow
async def test_a_share_and_a_wall_say_at_once_that_they_load(dashboard: Dashboard, user: User) -> None:
    page, loading = dashboard.page, dashboard.page.get_by_text("Loading…")
    assert (await user.client.post("/visits", json={"page_url": "/"})).status == 201
    share = (await user.client.post("/shares", json={"view": "overview", "parameters": {}})).json
    release = await dashboard.hold("**/shares/current")
    await dashboard.open(share["link"].removeprefix("/dashboard"))
    await loading.wait_for()
    release.set()
    await dashboard.wait_until_loaded("overview")
    await expect(loading).to_have_count(0)

    await dashboard.open("?wall#overview")
    await dashboard.sign_in(user.login)
    release = await dashboard.hold("**/profile")
    await page.reload()
    await loading.wait_for()
    release.set()
    await dashboard.wait_until_loaded("overview")
    await expect(loading).to_have_count(0)
    await page.unroute_all()


async def test_the_limit_of_requests_is_told_while_the_page_waits_for_its_end(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page = dashboard.page
    notice = page.get_by_text("this goes on in 40 s")
    assert (await user.client.post("/tasks", json={"title": "salmon"})).status == 201
    await page.clock.install(time=datetime.now(UTC))
    await dashboard.open("#films")
    await dashboard.sign_in(user.login, view="films")
    refusal = {"status": 429, "headers": {"Retry-After": "40"}, "body": "{}"}
    await page.route("**/tasks?*", lambda route: route.fulfill(**refusal), times=1)
    await page.evaluate("location.hash = 'tasks'")
    await notice.wait_for()
    await page.clock.fast_forward("00:41")
    await page.locator(".task").wait_for()
    await expect(notice).to_have_count(0)
    assert len(tab.errors) == 1
    assert "429" in tab.errors.pop()
    await page.unroute_all()
