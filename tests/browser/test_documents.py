"""The pages that show the OpenAPI document, in a browser that can reach no other host."""

import os
from pathlib import Path

import pytest

from tests.browser.conftest import Tab
from tests.support.http_server import RunningApp

SHOWN = {
    "/docs": "#swagger-ui .opblock",
    "/redoc": "[data-section-id] h2",
    "/scalar": ".section h2, .section-header",
    "/api/v1/docs": "#swagger-ui .opblock",
}


@pytest.mark.parametrize("path", SHOWN)
async def test_a_page_renders_with_all_other_hosts_blocked(server: RunningApp, tab: Tab, path: str) -> None:
    selector = SHOWN[path]
    answer = await tab.page.goto(f"{server.url}{path}")
    assert answer is not None
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    await tab.page.wait_for_selector(selector)
    assert "Trawl" in await tab.page.inner_text("body")
    await tab.page.wait_for_load_state("networkidle")
    if folder := os.environ.get("SCREENSHOTS"):
        await tab.page.screenshot(path=Path(folder) / f"{path.replace('/', '-')}.png")
    assert (tab.errors, tab.blocked_urls) == ([], [])
