"""The dashboard after a cut of the network, or while nobody looked: it goes on by itself, all views alike."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Tab
from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User
from tests.support.http_server import RunningApp

pytestmark = pytest.mark.slow

OFFLINE = "No connection to the server: trying again…"
SEEN = """hidden => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


async def add_visit(user: User, page_url: str = "/caviar/") -> None:
    assert (await user.client.post("/visits", json={"page_url": page_url})).status == 201


async def is_told(page: Page) -> None:
    await page.get_by_text(OFFLINE).wait_for()


async def test_a_cut_network_is_told_and_every_view_shows_answers_when_it_is_back(
    dashboard: Dashboard, user: User, tab: Tab
) -> None:
    page, visits = dashboard.page, dashboard.page.locator("[data-total=visits]")
    await add_visit(user)
    await dashboard.open("#films")
    await dashboard.sign_in(user.login, view="films")
    await dashboard.visit("overview")
    await page.locator(".pulse.on").wait_for()

    await page.context.set_offline(True)
    await is_told(page)
    await expect(visits).to_have_text("1")  # what was read stays
    await add_visit(user)
    await page.context.set_offline(False)
    await expect(visits).to_have_text("2")
    await expect(page.get_by_text(OFFLINE)).to_have_count(0)

    await page.context.set_offline(True)
    await page.get_by_label("Traffic").select_option("all")
    await page.get_by_role("button", name="Try again").wait_for()
    await expect(visits).to_have_count(0)  # they were of another question
    await page.context.set_offline(False)
    await expect(visits).to_have_text("2")

    for view in ("films", "tasks"):  # whose module is here, and whose module is not
        await page.context.set_offline(True)
        await page.evaluate("name => { location.hash = name }", view)
        await page.locator(f"[data-view={view}] [role=alert]:not(:empty)").first.wait_for()
        await is_told(page)
        await page.context.set_offline(False)
        await dashboard.wait_until_loaded(view)
        await expect(page.locator("[role=alert]:not(:empty)")).to_have_count(0)
    await page.locator("[data-view=tasks] form").first.wait_for()
    assert all("ERR_INTERNET_DISCONNECTED" in error or "tasks/view.js" in error for error in tab.errors)
    tab.errors.clear()


@dataclass
class Cable:
    """A way to a server, which can be pulled out: then nothing passes, and nobody is told."""

    url: str = ""
    plugged: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self.plugged.wait()
                writer.write(data)
        writer.close()


@asynccontextmanager
async def cable_to(url: str) -> AsyncIterator[Cable]:
    cable, port = Cable(), urlsplit(url).port

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        above, below = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(cable.carry(reader, below), cable.carry(above, writer))

    listener = await asyncio.start_server(connect, "127.0.0.1", 0)
    async with listener:
        cable.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        cable.plugged.set()
        yield cable
        cable.plugged.set()


async def test_a_stream_that_falls_silent_is_a_cut_network(server: RunningApp, user: User, tab: Tab) -> None:
    page, visits = tab.page, tab.page.locator("[data-total=visits]")
    await add_visit(user)
    async with cable_to(server.url) as cable:
        dashboard = Dashboard(page, cable.url)
        await page.clock.install()
        await dashboard.open()
        await dashboard.sign_in(user.login)
        await page.locator(".pulse.on").wait_for()
        cable.plugged.clear()
        for seconds in ("00:16", "00:02", "00:06"):  # of silence, to the question, and of no answer
            await page.clock.fast_forward(seconds)
        await is_told(page)
        await add_visit(user)
        cable.plugged.set()
        await page.clock.fast_forward("00:04")
        await expect(visits).to_have_text("2")
        await page.goto("about:blank")


async def test_current_visitors_are_counted_again_when_the_page_is_seen_again(
    dashboard: Dashboard, user: User
) -> None:
    page, current = dashboard.page, dashboard.page.locator(".current")
    await add_visit(user)
    await page.clock.install(time=datetime.now(UTC))
    await dashboard.open()
    await dashboard.sign_in(user.login)
    await expect(current).to_have_text("1 visitor in the last 30 minutes")
    await page.evaluate(SEEN, True)
    await page.clock.fast_forward("02:00")
    await page.clock.fast_forward("40:00")
    await page.evaluate(SEEN, False)
    await expect(current).to_have_text("")
