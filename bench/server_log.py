"""Writes access logs as web servers do: the same requests in any of the formats that Trawl reads.

    python -m bench.server_log --lines 200000 --form combined > access.log

Like the logs of real sites: thousands of agents and of referrers, most of them rare; half of the lines are of
assets; searches whose URLs stand in one line each; what scanners, crawlers and broken clients send.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from random import Random

from bench.server_formats import FORMS, W3C_HEAD, Request

START = int(datetime(2024, 5, 6, tzinfo=UTC).timestamp())
DAYS = 1
HOST = "https://shop.example"
SECTIONS, PAGES, ASSETS, ADDRESSES, AGENTS = 60, 4_000, 700, 25_000, 3_000
WORDS = (
    "salmon",
    "tuna",
    "cod",
    "roe",
    "smoked",
    "fresh",
    "frozen",
    "canned",
    "box",
    "family",
    "recipe",
    "price",
    "delivery",
    "near",
    "me",
    "best",
)
ENGINES = (
    "https://www.google.com/search?q={}",
    "https://www.bing.com/search?q={}",
    "https://duckduckgo.com/?q={}",
)
SCANNED = (
    "/wp-login.php",
    "/.env",
    "/xmlrpc.php",
    "/admin/config.php?x={}",
    "/cgi-bin/luci/;stok={}",
    "/.git/config",
)
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS {3}_{4} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
BROWSERS = (
    f"{WINDOWS} {WEBKIT} Chrome/{{0}}.0.{{1}}.{{2}} Safari/537.36",
    f"Mozilla/5.0 (Linux; Android {{3}}; SM-G{{1}}) {WEBKIT} Chrome/{{0}}.0.{{1}}.{{2}} Mobile Safari/537.36",
    f"{IPHONE} Version/{{3}}.{{4}} Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.{4}",
    "Mozilla/5.0 (compatible; Googlebot/2.{4}; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.{4}; +http://www.bing.com/bingbot.htm)",
    "python-requests/2.{3}.{4}",
)


class Choice(list[str]):
    """Texts, of which the first are chosen most often, as Zipf has it."""

    def __init__(self, rng: Random, texts: list[str]) -> None:
        super().__init__(texts)
        self._rng = rng
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(texts))))

    def draw(self) -> str:
        return self._rng.choices(self, cum_weights=self._weights)[0]


def requests(lines: int, seed: int) -> Iterator[Request]:
    """Generate requests in the order of time."""
    rng = Random(seed)
    sections = [f"{WORDS[number % len(WORDS)]}_{number}" for number in range(SECTIONS)]
    pages = Choice(rng, [f"/{rng.choice(sections)}/{rng.choice(WORDS)}_{number}/" for number in range(PAGES)])
    assets = Choice(
        rng, [f"/static/{rng.choice(WORDS)}.{number:x}.{kind_of_asset(rng)}" for number in range(ASSETS)]
    )
    addresses = Choice(rng, [new_address(rng) for _ in range(ADDRESSES)])
    agents = Choice(rng, [new_agent(rng) for _ in range(AGENTS)])
    for number in range(lines):
        at = datetime.fromtimestamp(START + number * DAYS * 86_400 // lines, UTC)
        chance = rng.random()
        status, referrer = 200, None
        size: int | None = int(rng.lognormvariate(8, 2))
        if chance < 0.45:
            line, referrer = f"GET {assets.draw()} HTTP/1.1", HOST + pages.draw()
            status, size = (304, 0) if rng.random() < 0.2 else (200, size)
        elif chance < 0.85:
            line, referrer = f"GET {pages.draw()} HTTP/1.1", landing(rng, pages)
        elif chance < 0.95:
            line = f"GET /search?q={search(rng)}&page={rng.randrange(20)}&utm_source=x{number} HTTP/1.1"
            referrer = HOST + pages.draw()
        elif chance < 0.98:
            line, status, size = f"GET {rng.choice(SCANNED).format(number)} HTTP/1.1", 404, 153
        elif chance < 0.995:
            line, status, referrer = "POST /api/basket HTTP/1.1", 201, HOST + pages.draw()
        else:
            line, status, size = odd_request(rng, number)
        yield Request(at, addresses.draw(), line, status, size, referrer, odd_agent(rng) or agents.draw())


def kind_of_asset(rng: Random) -> str:
    return rng.choice(("js", "css", "png", "jpg", "webp", "woff2"))


def search(rng: Random) -> str:
    return "+".join(rng.choices(WORDS, k=3))


def landing(rng: Random, pages: Choice) -> str | None:
    """Return where a visitor of a page comes from."""
    chance = rng.random()
    if chance < 0.4:
        return HOST + pages.draw()
    if chance < 0.5:
        return rng.choice(ENGINES).format(search(rng))
    return "https://www.google.com/" if chance < 0.6 else None


def odd_request(rng: Random, number: int) -> tuple[str, int, int | None]:
    """Return what is written in another way than most: some of it is not a request at all."""
    return rng.choice(
        (
            (r"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 400, 157),
            ("-", 408, None),
            (f"HEAD /%D1%80%D1%8B%D0%B1%D0%B0_{number}/ HTTP/2.0", 200, 0),
            (rf"GET /a?x=\x22{number}\x22 HTTP/1.1", 200, 12),
            ("GET /a/../b//c HTTP/1.0", 200, 5),
        )
    )


def odd_agent(rng: Random) -> str | None:
    return (
        rng.choice((r"quoted \x22agent\x22", r"\"q\" agent", "Käse/1", "-")) if rng.random() < 0.004 else None
    )


def new_address(rng: Random) -> str:
    if rng.random() < 0.15:
        return (
            f"2600:1f18:{rng.randrange(1, 65536):x}:{rng.randrange(1, 65536):x}::{rng.randrange(1, 65536):x}"
        )
    return f"{rng.randrange(1, 220)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"


def new_agent(rng: Random) -> str:
    numbers = (
        rng.randrange(60, 140),
        rng.randrange(1000, 7000),
        rng.randrange(200),
        rng.randrange(8, 18),
        rng.randrange(10),
    )
    return rng.choice(BROWSERS).format(*numbers)


def generate(lines: int, seed: int, form: str) -> Iterator[str]:
    """Generate the lines of a log."""
    if form == "w3c":
        yield W3C_HEAD
    for request in requests(lines, seed):
        yield FORMS[form](request) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.server_log")
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--form", choices=FORMS, default="combined")
    arguments = parser.parse_args()
    sys.stdout.writelines(generate(arguments.lines, arguments.seed, arguments.form))


if __name__ == "__main__":
    main()
