"""What a live visit's page stands for: the shop's grammar, and no page is refused."""

import re

from service.logs.shop_format import BadLine, Page, parse_path

ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


def page_of(page_url: str) -> Page:
    """The page of an absolute URL, whatever its host, or of a path; `other` where its numbers are wrong."""
    found = ORIGIN.match(page_url)
    path, _, query = page_url[found.end() if found else 0 :].partition("#")[0].partition("?")
    try:
        return parse_path(path, query)
    except BadLine:
        return Page("other")


def is_bare_path(page_url: str) -> bool:
    """Whether the page is named by its path alone, as GET /pages names it: such pages are counted."""
    return page_url.startswith("/")
