"""Pages that show the OpenAPI document, in a browser that can reach no other host.

Swagger UI, which takes seconds to draw, is tested with its button in test_authorize.py.
"""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Tab
from tests.support.http_server import RunningApp

SHOWN = {
    "/redoc": "[data-section-id] h2",
    "/scalar": ".section h2, .section-header",
}


async def open_document(page: Page, url: str, *, shows: str) -> None:
    """Open a page whose policy allows nothing that it does not name, and wait for a part of the document."""
    answer = await page.goto(url)
    assert answer is not None
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    await page.wait_for_selector(shows)
    assert "Trawl" in await page.inner_text("body")


@pytest.mark.slow
@pytest.mark.parametrize("path", SHOWN)
async def test_a_page_renders_with_all_other_hosts_blocked(server: RunningApp, tab: Tab, path: str) -> None:
    # Playwright hears the end of each of Scalar's requests only where it lets them through itself.
    await tab.page.route("**/*", lambda route: route.continue_())
    await open_document(tab.page, f"{server.url}{path}", shows=SHOWN[path])
    await tab.page.wait_for_load_state("networkidle")
    if folder := os.environ.get("SCREENSHOTS"):
        await tab.page.screenshot(path=Path(folder) / f"{path.replace('/', '-')}.png")
    assert (tab.errors, tab.blocked_urls) == ([], [])


async def test_requests_to_other_hosts_fail_and_are_noted(tab: Tab) -> None:
    images = [f"{scheme}://{host}/" for scheme in ("http", "https") for host in ("cdn.example", "192.0.2.1")]
    await tab.page.set_content("".join(f"<img src={image}>" for image in images))  # waits for them
    assert sorted(tab.blocked_urls) == sorted(images)
