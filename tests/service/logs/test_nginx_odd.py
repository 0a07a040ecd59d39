"""Genuine lines of nginx 1.22 under odd and valid requests: which are views, and of which pages."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.logs.chunks import LogFile
from service.logs.format_options import FormatOptions
from service.logs.line_columns import KINDS, LineColumns
from service.logs.log_parser import LogParser
from service.logs.url_rules import Rules, parse_rule

LOG = Path(__file__).parents[2] / "support" / "nginx_odd.log"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
RULES = (
    {"kind": "category", "path": "/shop/(?P<category>[^/]+)"},
    {"kind": "product", "path": "/shop/(?P<category>[^/]+)/(?P<product>[^/]+)"},
    {"kind": "cart", "path": "/basket/add", "goods_id": "item", "amount": 1, "cart_id": "basket"},
    {"kind": "main", "path": "/"},
)
REQUEST = re.compile(r'"([A-Za-z]+) ((?:/|https?://)[^ ]*)(?: HTTP/[0-9.]+)?" ([0-9]{3}) ')
VIEW = re.compile(r"2..|304")


@pytest.fixture(scope="module")
def lines() -> LineColumns:
    rules = Rules(tuple(parse_rule("rule", table) for table in RULES))
    parser = LogParser(FormatOptions(UTC, rules))
    with LOG.open("rb") as file:
        [chunk] = LogFile(file).chunks()
    columns = parser.parse(chunk, now=NOW)
    assert columns is not None
    return columns


def test_only_answered_gets_and_posts_are_views(lines: LineColumns) -> None:
    rejects = {reject.line for reject in lines.rejects}
    texts = [text for n, text in enumerate(LOG.read_text().splitlines(), 1) if n not in rejects]
    requests = [match.groups() for match in map(REQUEST.search, texts) if match]
    others = [
        url
        for method, url, status in requests
        if method not in ("GET", "POST") or not VIEW.fullmatch(status) or url == "/shop//caviar///p1"
    ]
    mains = [url for method, url, status in requests if url in ("/", "/?") and status == "200"]
    kinds = Counter(KINDS[kind] for kind in lines.kind)
    assert len(lines) == len(texts) == len(requests)
    assert (kinds["other"], kinds["main"]) == (len(others), len(mains))
    assert {"/old", "/missing", "/boom", "/dav/", "/shop/caviar/"} <= set(
        others
    )  # 301, 404, 500, PROPFIND, HEAD


def test_spellings_of_one_page_are_one(lines: LineColumns) -> None:
    pages = {page.url: (page.category, page.product) for page in lines.pages if page.kind != "other"}
    assert pages["/shop/рыба/"] == ("рыба", None)
    assert pages["/shop/a%22b/"] == ('a"b', None)
    assert pages["/shop/a%5Cb/"] == ("a\\b", None)
    assert pages["/shop/%FF%FE/"] == ("%FF%FE", None)
    assert pages["/shop/caviar/p1%20with%20space"] == ("caviar", "p1 with space")
    assert pages["/shop/caviar/?q='%22%3Cscript%3E"] == ("caviar", None)
    assert pages["http://other.example/shop/caviar/p1"] == ("caviar", "p1")
    categories = Counter(lines.pages[page].category for page in lines.page if page >= 0)
    assert categories["рыба"] == 2
    assert {name for name in categories if name and not name.isascii()} == {"рыба"}


def test_a_rule_that_needs_numbers_rejects_views_without_them(lines: LineColumns) -> None:
    reasons = [reject.reason for reject in lines.rejects if "/basket/add" in reject.text]
    assert sorted(reasons) == [
        "combined: goods_id is missing",
        *["combined: goods_id is not a whole number from 1 to 9223372036854775807"] * 2,
    ]
