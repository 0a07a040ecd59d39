"""What the page of a live visit stands for: the shop's grammar, which refuses no page here."""

import re

from service.logs.shop_format import BadLine, Page, parse_path

ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


def parse_page(page_url: str) -> Page:
    """Parse a path, or that of an absolute URL of any host. Its kind is `other` where numbers are wrong."""
    origin = ORIGIN.match(page_url)
    path, _, query = page_url[origin.end() if origin else 0 :].partition("#")[0].partition("?")
    try:
        return parse_path(path, query)
    except BadLine:
        return Page("other")


def is_bare_path(page_url: str) -> bool:
    """Return whether the page is named by its path alone, as GET /pages names it: such pages are counted."""
    return page_url.startswith("/")
