"""Uses the dashboard as a person does, and asks axe what that person could not."""

import asyncio
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import Page, Route

from tests.support.command_line import PASSWORD

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
    "sites",
    "audit",
)
GRAVE = ("serious", "critical")
# Words before the edge of what scrolls are out of reach; a table wider than its place by a letter or two
# was meant to fit.
CUT = """() => {
    const left = node => node.getBoundingClientRect().left;
    const words = node => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return left(range);
    };
    const places = [...document.querySelectorAll(".scroll")].filter(place => place.checkVisibility());
    const outside = places.flatMap(place => [...place.querySelectorAll("td, button, a")]
        .filter(each => each.checkVisibility() && each.textContent)
        .filter(each => words(each) < left(place) - 1 && !place.scrollLeft));
    const excess = place => getComputedStyle(place).overflowX === "visible" ? 0
        : place.scrollWidth - place.clientWidth;
    const almost = places.filter(place => excess(place) > 0 && excess(place) < 16);
    return [...outside, ...almost].map(node => node.outerHTML.slice(0, 200));
}"""


@cache
def axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text()


@dataclass(frozen=True, slots=True)
class Dashboard:
    page: Page
    url: str

    async def open(self, fragment: str = "") -> None:
        await self.page.goto(f"{self.url}/dashboard{fragment}")

    async def sign_in(self, login: str, view: str = "overview") -> None:
        await self.fill_login(login)
        await self.wait_until_loaded(view)

    async def fill_login(self, login: str) -> None:
        await self.page.get_by_label("Login").fill(login)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.keyboard.press("Enter")

    async def sign_in_with_code(self, login: str, *codes: str) -> None:
        """Sign in to an account with a second factor; of the codes, the last one is right."""
        await self.fill_login(login)
        for number, code in enumerate(codes, 1):
            await self.page.get_by_label("Code").fill(code)
            await self.page.keyboard.press("Enter")
            if number < len(codes):
                await self.page.get_by_text("The code or the password is wrong.").wait_for()
        await self.wait_until_loaded("overview")

    async def visit(self, view: str) -> None:
        """Show a view, which may have parameters: `overview?country=US`."""
        await self.page.evaluate("name => { location.hash = name }", view)
        await self.wait_until_loaded(view.partition("?")[0])

    async def wait_until_loaded(self, view: str) -> None:
        """Wait until a view shows all that it has asked for."""
        await self.page.wait_for_selector(f"main:not([aria-busy]) > [data-view={view}]")

    async def hold(self, url: str) -> asyncio.Event:
        """Hold the requests whose URL fits a pattern until the event is set."""
        release = asyncio.Event()

        async def wait(route: Route) -> None:
            await release.wait()
            await route.continue_()

        await self.page.route(url, wait)
        return release

    async def token(self) -> str | None:
        token: str | None = await self.page.evaluate("sessionStorage.getItem('trawl.token')")
        return token

    async def stored(self) -> str:
        """All that the page keeps in the browser."""
        stored: str = await self.page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
        )
        return stored

    async def answers(self) -> dict[int, Any]:
        """What the page says that the reports' answers are."""
        pairs: list[list[Any]] = await self.page.eval_on_selector_all(
            "[data-report]",
            "all => all.map(one => [Number(one.dataset.report), "
            "JSON.parse(one.querySelector('.answer').dataset.answer)])",
        )
        return dict(pairs)

    async def barriers(self, *, of_colour_alone: bool = False) -> list[str]:
        """What axe finds grave."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(axe())
        options = {"resultTypes": ["violations"]} | ({"runOnly": ["cat.color"]} if of_colour_alone else {})
        report = await self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in report["violations"]
            if each["impact"] in GRAVE
            for node in each["nodes"]
        ]

    async def cut(self) -> list[str]:
        """What is partly beyond the edge of its place."""
        cut: list[str] = await self.page.evaluate(CUT)
        return cut

    async def overflows(self) -> bool:
        """Whether anything stands beyond the window's width."""
        wide: bool = await self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return wide
