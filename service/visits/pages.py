"""What the page of a live visit stands for: the shop's grammar or the rules, which refuse no page here."""

from service.logs.shop_format import BadLine, Page, split_url
from service.logs.url_rules import Rules, classify_path


def parse_page(page_url: str, rules: Rules | None) -> Page:
    """Classify a path, or that of an absolute URL of any host, as a line of a standard format is.

    Its kind is `other` where numbers are wrong.

    :param page_url: in its normal form: to look for that again would take as long as all else here
    """
    try:
        return classify_path(rules, *split_url(page_url))
    except BadLine:
        return Page("other")


def is_bare_path(page_url: str) -> bool:
    """Return whether the page is named by its path alone, as GET /pages names it: such pages are counted."""
    return page_url.startswith("/")
