"""What a line says of its request: method, URL and status, and so whether its page was shown.

    GET /fish/?page=2 HTTP/1.1      200
    └ method          └ protocol    └ status

Hypercorn writes the version of the protocol alone, `GET / 1.1`. Servers take more spaces than one between
these, and before version 1.21.1 nginx took them inside of a URL.
"""

import re

from page_urls import normal_url
from service.logs.shop_format import MAX_URL_CHARACTERS, BadLine, Page, split_url
from service.logs.url_rules import Rules, classify_path
from service.logs.views import BAD_REQUEST

URL = re.compile(r"/|https?://[^\s/?#]", re.IGNORECASE)
PROTOCOL = re.compile(r"[Hh][Tt][Tt][Pp]/[^ ]*|[A-Z]{2,}/[0-9][0-9.]*|1\.[01]|[23]")
STATUS = re.compile(r"\d{3}", re.ASCII)
NO_STATUS = re.compile(r"-?|0{1,3}")
NO_URL = "the request names no URL that can be read"
NO_URL_BEGIN = "the request names no URL"  # as it was written before, too


def parse_request(request: str, status: int | None) -> tuple[str, str]:
    """Return the method and the URL of a request line such as `GET / HTTP/1.1`.

    A URL may hold spaces, unless the server has refused the request as one that it could not read.

    :raises BadLine: NO_URL
    """
    method, _, rest = request.rstrip(" ").partition(" ")
    url, _, protocol = rest.rpartition(" ")
    url = url.strip(" ") if PROTOCOL.fullmatch(protocol) else rest.lstrip(" ")
    if not method or (" " in url and status == BAD_REQUEST):
        raise BadLine(NO_URL)
    return method, require_url(url)


def require_url(url: str) -> str:
    """Return the URL, or the path.

    :raises BadLine: NO_URL
    """
    if URL.match(url) is None:
        raise BadLine(NO_URL)
    return url


def read_url(url: str) -> str:
    """Return the normal form of a URL or a path, which may hold any character.

    :raises BadLine: the text is none
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise BadLine(f"URL is longer than {MAX_URL_CHARACTERS} characters")
    return normal_url(require_url(url))


def parse_page(url: str, rules: Rules | None) -> Page:
    """Return the page that a URL or a path, in its normal form, shows by the rules, if there are any.

    :raises BadLine: a number that the kind of page needs is wrong
    """
    return classify_path(rules, *split_url(url))


def parse_answer(url: str, rules: Rules | None, *, is_shown: bool) -> tuple[str, Page]:
    """Return the normal form of a URL, and the page that its request has shown: `other` if it shows none.

    :raises BadLine: the text is not a URL, or a number that the kind of page needs is wrong
    """
    url = read_url(url)
    return url, parse_page(url, rules) if is_shown else Page("other")


def parse_status(text: str | None) -> int | None:
    """Return a status; None for a dash or nothing, or 0, which servers log where they sent no answer.

    :raises BadLine: it is not a number of three digits
    """
    if text is None or NO_STATUS.fullmatch(text):
        return None
    if not STATUS.fullmatch(text):
        raise BadLine("the status is not a number of three digits")
    return int(text)
