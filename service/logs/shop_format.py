"""The grammar of the shop's access log: a line in, its fields out. Pure: no I/O, no clock, no state.

    shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 121.165.118.201 https://shop.example/fresh_fish/
    └ container ┘   └ local time      ┘  └ key  ┘        └ address     ┘ └ URL: its path gives the kind ┘

The container may have any name, or be missing. Colours, which Docker gives to terminals, are taken off.
The path, without its query and its last slash, gives the kind of page:

    (empty) main · /cart cart · /pay pay · /success_pay_N success · /one category · /one/two product ·
    anything else other

It is that of the URL's normal form (page_urls.py), in which categories and products are decoded names.
"""

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from socket import AF_INET6, inet_ntop, inet_pton
from typing import Literal

from page_urls import decode_segment, is_plain, normal_url

Kind = Literal["main", "category", "product", "cart", "pay", "success", "asset", "other"]

MAX_LINE_BYTES = 65_536
MAX_URL_CHARACTERS = 2_048
CACHED_ADDRESSES = 16_384  # the same visitors come in one chunk of a log after another
MAX_NUMBER = 2**63 - 1
MAX_DIGITS = 19
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTAINER = r"(?:[^ |]+ *\| )?"
LINE = re.compile(
    CONTAINER + r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \[(?P<key>[A-Z0-9]{8})\] INFO: "
    r"(?P<address>[^ ]+) (?P<url>[^ ]+)",
    re.ASCII,
)
# The same line field by field, to say which field of a line does not match.
FIELDS = (
    (
        re.compile(CONTAINER + r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", re.ASCII),
        "does not begin with a container's name and |, or a time like 2018-08-01 00:01:35",
    ),
    (re.compile(r"\[[A-Z0-9]{8}\] ", re.ASCII), "request key is not 8 of A-Z and 0-9 in brackets"),
    (re.compile(r"INFO: "), "'INFO: ' does not follow the request key"),
    (re.compile(r"[^ ]+ "), "no URL follows the address"),
)
URL = re.compile(r"https?://[^\s/?#]+(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}")
INNER_RETURN = "a carriage return stands inside the line"
CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f]")  # and a space
CART_NUMBERS = ("goods_id", "amount", "cart_id")
PAY_NUMBERS = ("user_id", "cart_id")
SUCCESS_PREFIX = "success_pay_"


class BadLine(ValueError):
    """The line does not match the format. The message is the reason that its reject shows."""


@dataclass(frozen=True, slots=True)
class Page:
    """The page that a URL of the shop stands for. Numbers are 1…2^63-1, and None where the kind has none."""

    kind: Kind
    category: str | None = None
    product: str | None = None
    user_id: int | None = None
    cart_id: int | None = None
    goods_id: int | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that matches. `local_time` is naive, as written; address and URL are in their normal forms."""

    local_time: datetime
    key: str
    address: str
    url: str
    page: Page


def parse_line(raw: bytes) -> LogLine:
    """Parse a line without its newline.

    :raises BadLine: the line does not match; no bytes raise anything else
    """
    if len(raw) > MAX_LINE_BYTES:
        raise BadLine(f"line is longer than {MAX_LINE_BYTES} bytes")
    try:
        line = raw.decode().removesuffix("\r")
    except UnicodeDecodeError:
        raise BadLine("not UTF-8") from None
    if "\x1b" in line:
        line = COLOUR.sub("", line)
    if "\r" in line:
        raise BadLine(INNER_RETURN)
    fields = LINE.fullmatch(line)
    if fields is None:
        raise BadLine(explain_mismatch(line))
    try:
        local_time = datetime.fromisoformat(fields["time"])
    except ValueError:
        raise BadLine("no such date or time") from None
    address = parse_address(fields["address"])
    url = check_url(fields["url"])
    return LogLine(local_time, fields["key"], address, url, parse_url(url))


def explain_mismatch(line: str) -> str:
    """Return the reason of the first field that does not match."""
    at = 0
    for pattern, reason in FIELDS:
        field = pattern.match(line, at)
        if field is None:
            return reason
        at = field.end()
    return "URL has a space in it, or there is none"


@lru_cache(CACHED_ADDRESSES)
def parse_address(text: str) -> str:
    """Return the canonical form of an IPv4 or IPv6 address.

    :raises BadLine: the text is not an address, or has a zone
    """
    if IPV4.fullmatch(text):  # ipaddress gives the same, ten times as slowly
        return text
    with suppress(OSError, ValueError):  # likewise
        written = inet_ntop(AF_INET6, inet_pton(AF_INET6, text))
        if "." not in written:  # libraries of C differ in which addresses end like IPv4
            return written
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise BadLine("not an IPv4 or IPv6 address") from None
    if "%" in text:
        raise BadLine("address has a zone")
    return str(getattr(address, "ipv4_mapped", None) or address)


def check_url(url: str) -> str:
    """Return the normal form of a line's URL, whatever its host.

    :raises BadLine: the text is not a URL, or too long
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise BadLine(f"URL is longer than {MAX_URL_CHARACTERS} characters")
    if is_plain(url) and not url.startswith("/"):
        return url
    if CONTROL.search(url):
        raise BadLine("URL has a control character in it")
    if URL.fullmatch(url) is None:
        raise BadLine("not an http or https URL")
    return normal_url(url)


def parse_url(url: str) -> Page:
    """Return the page of a URL in its normal form, whatever its host.

    :raises BadLine: a number in it is wrong
    """
    return parse_path(*split_url(url))


def split_url(url: str) -> tuple[str, str]:
    """Return the path and the query string of a URL, or of a path, in its normal form."""
    path, _, query = url.partition("#")[0].partition("?")
    if not path.startswith("/"):
        path = path[path.find("/", path.find("//") + 2) :]
    return path, query


def parse_path(path: str, query: str) -> Page:
    """Return the page of a path and its query string, both in their normal form.

    :raises BadLine: a number that the kind of page needs is missing or wrong
    """
    match path.removesuffix("/").split("/")[1:]:
        case []:
            return Page("main")
        case ["cart"]:
            numbers = parse_numbers(query, CART_NUMBERS)
            return Page(
                "cart", cart_id=numbers["cart_id"], goods_id=numbers["goods_id"], amount=numbers["amount"]
            )
        case ["pay"]:
            numbers = parse_numbers(query, PAY_NUMBERS)
            return Page("pay", cart_id=numbers["cart_id"], user_id=numbers["user_id"])
        case [name] if name.startswith(SUCCESS_PREFIX):
            return Page("success", cart_id=parse_number(name.removeprefix(SUCCESS_PREFIX), "cart_id"))
        case [category] if category:
            return named_page("category", decode_segment(category))
        case [category, product] if category and product:
            return named_page("product", decode_segment(category), decode_segment(product))
        case _:
            return Page("other")


def named_page(kind: Kind, category: str, product: str | None = None) -> Page:
    """Return the page of these names; `other` if one holds a NUL, which the database could not."""
    return Page("other") if "\0" in category + (product or "") else Page(kind, category, product)


def parse_numbers(query: str, names: tuple[str, ...]) -> dict[str, int]:
    """Parse these parameters of a query string; others are ignored.

    :raises BadLine: one is missing, given twice, or no number
    """
    values: dict[str, str] = {}
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if name in names and name in values:
            raise BadLine(f"{name} is given twice")
        values[name] = value
    return {name: parse_number(values.get(name), name) for name in names}


def parse_number(text: str | None, name: str) -> int:
    """Parse a number from 1 to MAX_NUMBER.

    :raises BadLine: the text of `name` is missing, or is no such number
    """
    if not text:
        raise BadLine(f"{name} is missing")
    # A text of more digits than 64 bits can hold is not converted: int() takes quadratic time.
    if not (
        text.isascii()
        and text.isdigit()
        and len(text.lstrip("0")) <= MAX_DIGITS
        and 1 <= int(text) <= MAX_NUMBER
    ):
        raise BadLine(f"{name} is not a whole number from 1 to {MAX_NUMBER}")
    return int(text)


def to_utc(local_time: datetime, zone: tzinfo, now: datetime) -> datetime:
    """Convert the local time of a log line to UTC.

    A time that the clock repeats is its first pass.

    :raises BadLine: the clock skips this time, or the instant is before 1970 or more than a day after `now`
    """
    try:
        instant = local_time.replace(tzinfo=zone).astimezone(UTC)
        is_skipped = instant.astimezone(zone).replace(tzinfo=None) != local_time
    except OverflowError:
        raise BadLine("time is out of range") from None
    if instant < EARLIEST:
        raise BadLine("time is before 1970")
    if instant > now + LATEST_AHEAD:
        raise BadLine("time is more than a day ahead")
    if is_skipped:
        raise BadLine(f"{local_time} is a time that the clock of {zone} skips")
    return instant
