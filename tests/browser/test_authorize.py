"""Signing in by the button of Swagger UI: at the root, and behind a proxy under a path."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Tab
from tests.browser.test_documents import open_document
from tests.support.command_line import PASSWORD
from tests.support.http_client import User
from tests.support.http_server import RunningApp

pytestmark = pytest.mark.slow

BASE = "/trawl"
PATIENCE = 100_000  # milliseconds
SIGN_OUT = ".auth-container button:has-text('Logout')"  # in the dialog, once it has a token
HOP_BY_HOP = {"transfer-encoding", "content-encoding", "content-length", "connection", "host"}


@asynccontextmanager
async def proxy(target: str) -> AsyncIterator[str]:
    """Serve `target` under BASE, which it does not see, as a proxy does that strips the path."""

    async def forward(request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        path = request.path_qs.removeprefix(BASE)
        async with aiohttp.request(
            request.method, target + path, headers=headers, data=await request.read(), allow_redirects=False
        ) as answer:
            headers = {
                name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP
            }
            return web.Response(status=answer.status, headers=headers, body=await answer.read())

    app = web.Application()
    app.router.add_route("*", BASE + "/{path:.*}", forward)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site.name.replace(":0", f":{runner.addresses[0][1]}") + BASE
    finally:
        await runner.cleanup()


async def authorize(page: Page, login: str, password: str) -> None:
    """Sign in by the scheme of OAuth 2 in the dialog, which is open."""
    form = page.locator(".auth-container", has=page.locator("#oauth_username"))
    await form.locator("#oauth_username").fill(login)
    await form.locator("#oauth_password").fill(password)
    await form.locator("button.authorize").click()


async def leave_the_profile(route: Route) -> None:
    """Let the document through without all other paths, which take ten seconds to draw again and again."""
    answer = await route.fetch()
    document = await answer.json()
    document["paths"] = {path: item for path, item in document["paths"].items() if path.endswith("/profile")}
    await route.fulfill(response=answer, json=document)


async def test_the_sign_in_button_signs_in_and_requests_carry_the_token(
    server: RunningApp, user: User, tab: Tab
) -> None:
    page, wrong = tab.page, 0
    async with proxy(server.url) as proxied:
        await page.route(f"{proxied}/**/openapi.json", leave_the_profile)  # whole it is drawn at the root
        for base, path in ((server.url, "/docs"), (proxied, "/api/v1/docs")):
            await open_document(page, base + path, shows="#swagger-ui .opblock")
            await page.locator(".auth-wrapper .authorize").first.click(timeout=PATIENCE)
            for login, password in (("nobody", PASSWORD), ("anna", "not the password")):
                await authorize(page, login, password)
                wrong += 1
                refusal = page.locator(".auth-container .errors").first
                await expect(refusal).to_contain_text("no active account", timeout=PATIENCE)
                await expect(page.locator(SIGN_OUT)).to_have_count(0)
            await authorize(page, "anna", PASSWORD)
            await expect(page.locator(SIGN_OUT)).to_have_count(1, timeout=PATIENCE)
            await page.locator(".btn-done").first.click()
            operation = page.locator("#operations-profile-get_profile")
            await operation.locator(".opblock-summary-control").click()
            await operation.locator(".execute").click()
            status = operation.locator(".live-responses-table tbody .response-col_status").first
            await expect(status).to_contain_text("200", timeout=PATIENCE)
            body = operation.locator(".live-responses-table .highlight-code").first
            await expect(body).to_contain_text('"login": "Anna"')
            assert f"{base}/api/v1/profile" in await operation.locator(".request-url").inner_text()
    assert len(tab.errors) == wrong  # the browser's own lines about the 401s
    assert all("401" in error for error in tab.errors)
    assert tab.blocked_urls == []
