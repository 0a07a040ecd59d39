"""python -m demo.screenshots [FOLDER]: takes pictures of every view of the dashboard, in both themes.

Serves from a new DATA_DIR, imports logs.txt, and invents events and live visits. Uses the system's Chromium.
"""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, async_playwright

from demo.chromium import find_chromium
from demo.companions import film_service
from demo.shop import FRIENDS, Shop, wait_until_ready

FOLDER = Path("docs") / "screenshots"
VIEWS = (
    "overview",
    "reports",
    "live",
    "events",
    "imports",
    "tasks",
    "films",
    "account",
    "people",
    "person",
    "sites",
    "audit",
)
SIZES = {"": (1440, 1000), "-narrow": (360, 780)}
ACCOUNT = {"login": "anna", "password": "correct horse battery"}
LIVE_SECONDS = 45  # of visits and events, so that the live view has a past
SCROLL = """async () => {
    for (let top = 0; top < document.body.scrollHeight; top += 600) {
        scrollTo(0, top);
        await new Promise((resolve) => setTimeout(resolve, 400));
    }
    scrollTo(0, 0);
}"""
# Cards below the window wait for a reader.
ALL_ANSWERED = """() => [...document.querySelectorAll(".card[aria-busy]")].every(card => {
    const { top, bottom } = card.getBoundingClientRect();
    return bottom < 0 || top > innerHeight;
})"""


@asynccontextmanager
async def serve_trawl(films: str) -> AsyncIterator[str]:
    """Serve Trawl with an admin, the film service at an URL and no data; yields its own URL."""
    data_dir = mkdtemp(prefix="trawl-")  # a short path: those of sockets are limited
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {
        "DATA_DIR": data_dir,
        "PORT": str(port),
        "RATE_LIMIT_PER_MINUTE": "0",
        "LOG_LEVEL": "ERROR",
        "ADMIN_LOGIN": ACCOUNT["login"],
        "ADMIN_PASSWORD": ACCOUNT["password"],
        "KINOPOISK_URL": films,
        "KINOPOISK_API_KEY": "demo",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "main.py", env={**os.environ, **settings})
    try:
        url = f"http://127.0.0.1:{port}"
        await wait_until_ready(url)
        yield url
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(data_dir, ignore_errors=True)


async def sign_in(page: Page) -> None:
    await page.get_by_label("Login").fill(ACCOUNT["login"])
    await page.get_by_label("Password").fill(ACCOUNT["password"])
    await page.keyboard.press("Enter")
    await page.wait_for_selector("nav")


async def show(page: Page, view: str) -> None:
    if view == "person":  # one of the people, who are shown before
        await page.get_by_role("link", name=f"Details: {FRIENDS[0]}").click()
        await page.get_by_role("heading", name=FRIENDS[0]).wait_for()
    else:
        await page.evaluate("name => { location.hash = name }", view)
    await page.wait_for_selector(
        f"main:not([aria-busy]) > [data-view={'people' if view == 'person' else view}]"
    )


async def photograph(browser: Browser, url: str, folder: Path, scheme: Any, size: str) -> None:
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.goto(f"{url}/dashboard")
    await page.get_by_label("Login").wait_for()
    await page.screenshot(path=folder / f"sign-in-{scheme}{size}.png")
    await sign_in(page)
    await page.wait_for_timeout(LIVE_SECONDS * 1000)
    for view in VIEWS:
        await show(page, view)
        await page.wait_for_timeout(1500)  # for the live stream's next second
        whole = view not in {"overview", "reports"} or bool(size)
        if whole:  # cards load when they are scrolled to
            await page.evaluate(SCROLL)
        await page.locator(".late").first.wait_for(state="hidden")
        while not await page.evaluate(ALL_ANSWERED):  # the page's policy lets nothing wait within it
            await page.wait_for_timeout(200)
        await page.screenshot(path=folder / f"{view}-{scheme}{size}.png", full_page=whole)
    await context.close()


async def main(folder: Path) -> None:
    chromium = find_chromium()
    if chromium is None:
        sys.exit("trawl: needs Chromium: apt install chromium, or CHROMIUM=/path/to/one")
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve_trawl(stack.enter_context(film_service())))
        playwright = await stack.enter_async_context(async_playwright())
        shop = Shop(await stack.enter_async_context(aiohttp.ClientSession(url)))
        await shop.sign_in(ACCOUNT["login"], ACCOUNT["password"])
        await shop.fill(ACCOUNT["password"])
        await shop.fill_account()
        await shop.fill_favourites()
        busy = asyncio.create_task(shop.stay_busy())
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        await asyncio.gather(
            *(
                photograph(browser, url, folder, scheme, size)
                for scheme in ("light", "dark")
                for size in SIZES
            )
        )
        busy.cancel()
        await browser.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(folder))
