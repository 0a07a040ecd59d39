"""The grammar of the logs that Apache and nginx write unless told otherwise: common and combined.

    203.0.113.9 - anna [01/Aug/2018:00:01:35 +0200] "GET /fish/?page=2 HTTP/1.1" 200 2326 "referer" "agent"
    └ address ┘        └ time with its offset   ┘    └ method, URL            ┘  └ status     └ combined only

A line has no request key. Its key is made of the line itself: equal lines are told apart by how many of them
stand in the TAIL_BYTES before. So a file that grew, was rotated or copied gives the same keys, wherever
reading begins.
"""

import base64
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

from service.logs.chunks import TAIL_BYTES
from service.logs.shop_format import (
    MAX_LINE_BYTES,
    MAX_URL_CHARACTERS,
    UNPRINTABLE,
    URL,
    BadLine,
    Page,
    parse_address,
    to_utc,
)
from service.logs.url_rules import Rules, page_of

QUOTED = r'"(?:[^"\\]|\\.)*"'
LINE = re.compile(
    r"(?P<address>[^ ]+) [^ ]+ [^\[\]]+ \[(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4})"
    r":(?P<time>\d\d:\d\d:\d\d) (?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>[0-5]\d)\] "
    rf"(?P<request>{QUOTED}) (?P<status>\d{{3}}) (?:\d+|-)(?P<combined> {QUOTED} {QUOTED}.*)?",
    re.ASCII,
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class StandardLine:
    """A line that fits. `address` is canonical, `url` as written: mostly a path."""

    instant: datetime
    address: str
    url: str
    page: Page


def parse_standard_line(raw: bytes, rules: Rules | None, now: datetime) -> StandardLine:
    """What a line (without its newline) says. Raises BadLine for bytes that do not fit, and nothing else."""
    if len(raw) > MAX_LINE_BYTES:
        raise BadLine(f"line is longer than {MAX_LINE_BYTES} bytes")
    try:
        line = raw.decode().removesuffix("\r")
    except UnicodeDecodeError:
        raise BadLine("not UTF-8") from None
    found = LINE.fullmatch(line)
    if found is None:
        raise BadLine("not a line of the common or combined log format")
    url = url_of(found["request"][1:-1])
    page = parse_page(url, rules)
    if int(found["status"]) >= FIRST_ERROR:
        page = Page("other")
    return StandardLine(time_of(found, now), parse_address(found["address"]), url, page)


def time_of(found: re.Match[str], now: datetime) -> datetime:
    try:
        local_time = datetime.fromisoformat(
            f"{found['year']}-{MONTHS.index(found['month']) + 1:02}-{found['day']} {found['time']}"
        )
        offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
        zone = timezone(-offset if found["sign"] == "-" else offset)
    except ValueError:
        raise BadLine("no such date or time") from None
    return to_utc(local_time, zone, now).astimezone(UTC)


def url_of(request: str) -> str:
    """The URL of a request line such as `GET / HTTP/1.1`. Raises BadLine."""
    parts = request.split(" ")
    if len(parts) not in (2, 3) or not parts[1].startswith(("/", "http://", "https://")):
        raise BadLine("the request names no URL")
    return parts[1]


def parse_page(url: str, rules: Rules | None) -> Page:
    if len(url) > MAX_URL_CHARACTERS:
        raise BadLine(f"URL is longer than {MAX_URL_CHARACTERS} characters")
    found = URL.fullmatch(url if not url.startswith("/") else f"http://host{url}")
    if found is None or UNPRINTABLE.search(url):
        raise BadLine("not an http or https URL")
    return page_of(rules, found["path"], found["query"] or "")


class LineKeys:
    """Makes the keys of lines, given in their order with their offsets in the file."""

    def __init__(self, before: bytes, offset: int) -> None:
        """`before` are the bytes before `offset`, the TAIL_BYTES that count or all."""
        self._places: defaultdict[bytes, list[int]] = defaultdict(list)
        at = offset - len(before)
        for raw in before.split(b"\n")[:-1]:
            self._places[digest(raw)].append(at)
            at += len(raw) + 1

    def key(self, raw: bytes, offset: int) -> str:
        line = digest(raw)
        places = self._places[line]
        same = sum(place >= offset - TAIL_BYTES for place in places)
        places.append(offset)
        name = base64.b32encode(line).decode()
        return f"{name}-{same + 1}" if same else name


def digest(raw: bytes) -> bytes:
    return sha256(raw.removesuffix(b"\r")).digest()[:10]
