"""The system's Chromium, headless, for tests of pages. Without one they are skipped."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, Request, async_playwright, expect

from db.database import Database
from demo.chromium import find_chromium
from tests.support.dashboard_page import Dashboard
from tests.support.http_server import RunningApp
from tests.support.processes import PATIENCE

NO_SANDBOX = ("--no-sandbox", "--disable-dev-shm-usage")  # as root, and in containers, there is none
# Other hosts have no address: to hold each request until Python lets it through costs a fifth of a page.
THIS_MACHINE_ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture
def db(committed_db: Database) -> Database:
    """A page asks for several things at once, each in a transaction of its own."""
    return committed_db


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        # CI installs one; a newcomer's `make test` needs nothing.
        assert "CI" not in os.environ, "CI has no Chromium"
        pytest.skip("needs Chromium: apt install chromium-headless-shell, or CHROMIUM=/path/to/one")
    async with async_playwright() as playwright:
        options = [*NO_SANDBOX, THIS_MACHINE_ALONE]
        launched = await playwright.chromium.launch(executable_path=chromium, args=options)
        yield launched
        await launched.close()


@dataclass
class Tab:
    """A page, its errors, and the URLs of other hosts that it has requested in vain."""

    page: Page
    errors: list[str] = field(default_factory=list)
    blocked_urls: list[str] = field(default_factory=list)


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Tab]:
    """Open a page in a new profile, from which only servers on this machine can be reached."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    opened = Tab(await context.new_page())

    def note_failure(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            opened.blocked_urls.append(request.url)

    context.on("requestfailed", note_failure)
    opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.page.on(
        "console",
        lambda message: opened.errors.append(message.text) if message.type in ("error", "warning") else None,
    )
    yield opened
    await context.close()


@pytest.fixture
async def dashboard(server: RunningApp, tab: Tab) -> AsyncIterator[Dashboard]:
    """The dashboard in a new tab, which at the end must show no error and no request to another host."""
    yield Dashboard(tab.page, server.url)
    assert (tab.errors, tab.blocked_urls) == ([], [])
