"""The grammar of the logs that Apache and nginx write unless told otherwise: common and combined.

    203.0.113.9 - anna [01/Aug/2018:00:01:35 +0200] "GET /fish/?page=2 HTTP/1.1" 200 2326 "referer" "agent"
    └ address ┘        └ time with its offset   ┘    └ method, URL            ┘  └ status     └ combined only

A line has no request key. Its key is the digest of the line; equal lines are numbered by how many of them
stand in the TAIL_BYTES before. A file that grew, was rotated or copied thus gives the same keys wherever
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
    MAX_DIGITS,
    MAX_LINE_BYTES,
    MAX_NUMBER,
    BadLine,
    Page,
    check_url,
    parse_address,
    split_url,
    to_utc,
)
from service.logs.url_rules import Rules, classify_path
from service.logs.views import is_view

QUOTED = r'"(?:[^"\\]|\\.)*"'
LINE = re.compile(
    r"(?P<address>[^ ]+) [^ ]+ [^\[\]]+ \[(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4})"
    r":(?P<time>\d\d:\d\d:\d\d) (?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>[0-5]\d)\] "
    rf"(?P<request>{QUOTED}) (?P<status>\d{{3}}) (?P<bytes>\d+|-)"
    rf"(?P<combined> (?P<referrer>{QUOTED}) (?P<agent>{QUOTED}).*)?",
    re.ASCII,
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DEFAULT_HOST = "http://host"


@dataclass(frozen=True, slots=True)
class StandardLine:
    """A line that matches. Address and URL, mostly a path, are in their normal forms.

    `body_bytes`, `referrer` and `agent` are None where the line has a dash; the last two also in the common
    format.
    """

    instant: datetime
    address: str
    url: str
    page: Page
    method: str
    status: int
    body_bytes: int | None
    referrer: str | None
    agent: str | None


def parse_standard_line(raw: bytes, rules: Rules | None, now: datetime) -> StandardLine:
    """Parse a line without its newline.

    :raises BadLine: the line does not match; no bytes raise anything else
    """
    if len(raw) > MAX_LINE_BYTES:
        raise BadLine(f"line is longer than {MAX_LINE_BYTES} bytes")
    try:
        line = raw.decode().removesuffix("\r")
    except UnicodeDecodeError:
        raise BadLine("not UTF-8") from None
    fields = LINE.fullmatch(line)
    if fields is None:
        raise BadLine("not a line of the common or combined log format")
    method, url = parse_request(fields["request"][1:-1])
    url, status = check_url(url, default_host=DEFAULT_HOST), int(fields["status"])
    page = parse_page(url, rules) if is_view(method, status) else Page("other")
    instant, address = parse_time(fields, now), parse_address(fields["address"])
    body_bytes = parse_body_bytes(fields["bytes"])
    referrer, agent = unquote(fields["referrer"]), unquote(fields["agent"])
    return StandardLine(instant, address, url, page, method, status, body_bytes, referrer, agent)


def parse_body_bytes(text: str) -> int | None:
    """Return a size; None for a dash.

    :raises BadLine: the number does not fit into 64 bits
    """
    if text == "-":
        return None
    digits = text.lstrip("0")
    if len(digits) > MAX_DIGITS or int(digits or 0) > MAX_NUMBER:
        raise BadLine(f"the answer has more than {MAX_NUMBER} bytes")
    return int(digits or 0)


def unquote(text: str | None) -> str | None:
    """Return what stands between quotes, as it is written; None for a dash or nothing."""
    return None if text in (None, '"-"', '""') else text[1:-1]


def parse_time(fields: re.Match[str], now: datetime) -> datetime:
    """Return the instant of a line, in UTC.

    :raises BadLine: there is no such time, or it is out of range
    """
    try:
        local_time = datetime.fromisoformat(
            f"{fields['year']}-{MONTHS.index(fields['month']) + 1:02}-{fields['day']} {fields['time']}"
        )
        offset = timedelta(hours=int(fields["hours"]), minutes=int(fields["minutes"]))
        zone = timezone(-offset if fields["sign"] == "-" else offset)
    except ValueError:
        raise BadLine("no such date or time") from None
    return to_utc(local_time, zone, now).astimezone(UTC)


def parse_request(request: str) -> tuple[str, str]:
    """Return the method and the URL of a request line such as `GET / HTTP/1.1`.

    :raises BadLine: the request line has none
    """
    parts = request.split(" ")
    if len(parts) not in (2, 3) or not parts[1].startswith(("/", "http://", "https://")):
        raise BadLine("the request names no URL")
    return parts[0], parts[1]


def parse_page(url: str, rules: Rules | None) -> Page:
    """Return the page that a URL or a path, in its normal form, shows by the rules, if there are any.

    :raises BadLine: a number that the kind of page needs is wrong
    """
    return classify_path(rules, *split_url(url))


class LineKeys:
    """Makes the request keys of lines, which must come in the order of the file."""

    def __init__(self, before: bytes, offset: int) -> None:
        """`before` are the bytes in front of `offset`: the last TAIL_BYTES, or all if there are fewer."""
        self._offsets: defaultdict[bytes, list[int]] = defaultdict(list)
        at = offset - len(before)
        for raw in before.split(b"\n")[:-1]:
            self._offsets[line_digest(raw)].append(at)
            at += len(raw) + 1

    def key(self, raw: bytes, offset: int) -> str:
        """Return the key of the line at `offset`: its digest, numbered from 2 if it is not the first."""
        digest = line_digest(raw)
        equal_lines = self._offsets[digest]
        count = sum(other >= offset - TAIL_BYTES for other in equal_lines)
        equal_lines.append(offset)
        key = base64.b32encode(digest).decode()
        return f"{key}-{count + 1}" if count else key


def line_digest(raw: bytes) -> bytes:
    """Return 10 bytes that identify the line, whether it ends in CR or not."""
    return sha256(raw.removesuffix(b"\r")).digest()[:10]
