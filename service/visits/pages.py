"""What the page of a live visit stands for: the shop's grammar or the rules, which refuse no page here."""

import re

from service.logs.shop_format import BadLine, Page
from service.logs.url_rules import Rules, classify_path

ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


def parse_page(page_url: str, rules: Rules | None) -> Page:
    """Classify a path, or that of an absolute URL of any host, as a line of a standard format is.

    Its kind is `other` where numbers are wrong.
    """
    origin = ORIGIN.match(page_url)
    path, _, query = page_url[origin.end() if origin else 0 :].partition("#")[0].partition("?")
    try:
        return classify_path(rules, path, query)
    except BadLine:
        return Page("other")


def is_bare_path(page_url: str) -> bool:
    """Return whether the page is named by its path alone, as GET /pages names it: such pages are counted."""
    return page_url.startswith("/")
