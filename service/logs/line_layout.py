"""A layout of lines: texts and fields in turns, as a log_format of nginx or the fields of a W3C log say.

    $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent
    └ field    ┘└─┘ text

A layout becomes a regular expression, the grammar of its lines; standard_fields reads the same in columns. A
field ends before the first character of the text after it, in quotes before the first quote without a
backslash. All but the name of a user is matched without going back, so a line takes linear time.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import cast

from page_urls import text_of_log
from service.logs.client_address import parse_client_address
from service.logs.next_lines import NEXT_LINE
from service.logs.nginx_variables import Role
from service.logs.requests import parse_answer, parse_request, parse_status, require_url
from service.logs.shop_format import BadLine
from service.logs.standard_line import (
    ISO_TIME,
    LOCAL_TIME,
    TWO_REQUESTS,
    UNIX_TIME,
    StandardLine,
    decode_line,
    optional,
    parse_body_bytes,
    parse_iso_time,
    parse_local_time,
    parse_unix_time,
    text_of_w3c,
)
from service.logs.url_rules import Rules
from service.logs.views import is_view

QUOTE = '"'
IN_QUOTES = r'(?>(?:[^"\\]|\\.)*)'
ADDRESSES = r"(?>[^ ]+(?:(?<=,) +[^ ]+)*)"  # proxies pass on lists of clients, whose parts may be empty
PATTERNS: dict[Role, str] = {
    "local_time": LOCAL_TIME,
    "iso_time": ISO_TIME,
    "unix_time": UNIX_TIME,
    "date": r"\d{4}-\d\d-\d\d",
    "time": r"\d\d:\d\d:\d\d(?:\.\d+)?",
    "status": r"(?>\d{3}|-|0)",  # squid's %>Hs is 0 where the client has gone away
    "body_bytes": r"(?>\d+|-)",
    "user": r'(?:""|(?:[^"]|\\")*?)',  # Apache writes "" for an empty name
    "is_args": r"\??",
}
# Times, as they tell that a line begins; seconds alone may be any number.
STAMPS: dict[Role, str] = {
    "local_time": LOCAL_TIME,
    "iso_time": ISO_TIME,
    "unix_time": r"\d{10}\.\d{3}",
}
END = "end"  # the name of the place where the last field begins
IN_LISTS = r"(?>[^ ]*(?:(?:(?<=,) | : )[^ ]+)*)"
SOME_ADDRESS = r'"?\[?(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-fA-F]*:[\da-fA-F:.]+)'
MAX_BETWEEN = 256  # characters of a field, so that no text takes long
# A second request begins so; a quote in a field of a client's would have a backslash before it.
STAMP = re.compile(rf'\[{LOCAL_TIME}\] "', re.ASCII)
# The request, referrer and agent, up to a quote behind which the field goes on: WEBrick, morgan and Python's
# servers escape none.
BARE_QUOTE = re.compile(
    rf'\[{LOCAL_TIME}\] "{IN_QUOTES}"(?: (?:\d{{3}}|-) (?:\d+|-)(?: "{IN_QUOTES}"){{1,2}})?[^ "].*"', re.ASCII
)
QUOTE_MARK = re.compile(r'\\.|(")')
HAS_BARE_QUOTE = "a quote in the request, referrer or agent is not escaped"
# The last field in quotes, where its last one stands behind a backslash: H2O, squid and uWSGI escape none.
OPEN_QUOTE = re.compile(
    rf'\[{LOCAL_TIME}\] "{IN_QUOTES}" (?:\d{{3}}|-) (?:\d+|-) (?:"{IN_QUOTES}" )?"(?:[^"\\]|\\.)*\\"[^"]*',
    re.ASCII,
)
HAS_OPEN_QUOTE = "the last quote stands behind a backslash: that is not escaped, or the line is cut"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a line.

    :param text: what stands between it and the next field, or the end of the line
    :param is_read: otherwise it is skipped
    :param is_number: it is a number of JSON
    """

    role: Role
    text: str
    is_read: bool = True
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of lines, named in rejects.

    :param begin: what stands before the first field
    :param has_tail: a referrer and an agent in quotes may follow, or not, and behind a space whatever else
    :param is_w3c: a query stands beside the path, spaces are written as +, and times are UTC
    :param zone: of times that name none
    :param stamp: in a last field that may be any text, what tells that another line stands there
    """

    name: str
    begin: str
    fields: tuple[Field, ...]
    has_tail: bool = False
    is_w3c: bool = False
    zone: tzinfo = UTC
    pattern: re.Pattern[str] = field(init=False)
    stamp: re.Pattern[str] | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(layout_pattern(self), re.ASCII))
        object.__setattr__(self, "stamp", stamp_pattern(self) if has_free_end(self) else None)

    def fits(self, line: str) -> bool:
        """Return whether the line is written so, whatever its fields say."""
        return self.pattern.fullmatch(line) is not None

    def parse(self, raw: bytes, rules: Rules | None, now: datetime) -> StandardLine:
        """Parse a line without its newline.

        :raises BadLine: the line does not match; no bytes raise anything else
        """
        line = decode_line(raw)
        match = self.pattern.fullmatch(line)
        if match is None:
            raise BadLine(self.explain(line))
        texts = cast("dict[str, str | None]", match.groupdict())
        check_glue(texts)
        if self.stamp is not None and self.stamp.search(line, match.start(END)):
            raise BadLine(TWO_REQUESTS)
        status = parse_status(texts.get("status"))
        method, url = self._request(texts, status)
        is_shown = is_view(
            method,
            status,
            tells_method=not texts.keys().isdisjoint(("request", "method")),
            tells_status="status" in texts,
        )
        url, page = parse_answer(url, rules, is_shown=is_shown)
        instant = parse_time(texts, now, self.zone)
        address = parse_client_address(self._text(texts["address"]) or "")
        body_bytes = parse_body_bytes(texts.get("body_bytes") or "-")
        referrer, agent = (self._text(texts.get(name)) for name in ("referrer", "agent"))
        return StandardLine(instant, address, url, page, method, status, body_bytes, referrer, agent)

    def explain(self, line: str) -> str:
        """Return why a line does not match."""
        if len(STAMP.findall(line)) > 1:
            return TWO_REQUESTS
        if self._has_bare_quote(line):
            return HAS_BARE_QUOTE
        if self.has_tail and OPEN_QUOTE.search(line) is not None:
            return HAS_OPEN_QUOTE
        return f"not a line of the {self.name} log format"

    def _has_bare_quote(self, line: str) -> bool:
        """Return whether a line holds more quotes than its layout explains."""
        if self.has_tail:
            return BARE_QUOTE.search(line) is not None
        texts = (self.begin, *(item.text for item in self.fields))
        quotes = sum(text.count(QUOTE) for text in texts)
        return (
            bool(quotes)
            and STAMP.search(line) is not None
            and sum(map(bool, QUOTE_MARK.findall(line))) > quotes
        )

    def _request(self, texts: dict[str, str | None], status: int | None) -> tuple[str | None, str]:
        """Return the method and the URL.

        :raises BadLine: NO_URL
        """
        if (request := texts.get("request")) is not None:
            return parse_request(request, status)
        method = optional(texts.get("method"))
        if (url := texts.get("url")) is not None:
            return method, require_url(url)
        path, query = require_url(texts.get("path") or ""), optional(texts.get("query"))
        if texts.get("is_args") == "" and texts.get("query") == "":
            path = path.removesuffix("-")  # nginx writes a dash for $args where there are none
        return method, path if query is None else f"{path}?{query}"

    def _text(self, text: str | None) -> str | None:
        text = optional(text)
        if text is None:
            return None
        return text_of_w3c(text) if self.is_w3c else text_of_log(text)


def check_glue(texts: dict[str, str | None]) -> None:
    """Check that the free texts of a line hold no part of another request.

    :raises BadLine: they do
    """
    if STAMP.search(texts.get("tail") or texts.get("rest") or "") or NEXT_LINE.search(
        texts.get("user") or ""
    ):
        raise BadLine(TWO_REQUESTS)


def parse_time(texts: dict[str, str | None], now: datetime, zone: tzinfo) -> datetime:
    """Return the instant of a line.

    :raises BadLine: there is no such time, or it is out of range
    """
    if text := texts.get("unix_time"):
        return parse_unix_time(text, now)
    if text := texts.get("iso_time"):
        return parse_iso_time(text, now, zone)
    if text := texts.get("local_time"):
        return parse_local_time(text, now, zone)
    return parse_iso_time(f"{texts['date']} {texts['time']}", now)


def layout_pattern(layout: Layout) -> str:
    """Return the regular expression of a layout's lines."""
    pattern, before = re.escape(layout.begin), layout.begin
    for place, item in enumerate(layout.fields):
        inner = field_pattern(layout, place, before)
        name = f"?P<{item.role}>" if item.is_read else "?:"
        end = f"(?P<{END}>)" if place == len(layout.fields) - 1 else ""
        pattern += f"{end}({name}{inner}){re.escape(item.text)}"
        before = item.text
    if layout.has_tail:
        pattern += (
            rf'(?: "(?P<referrer>{IN_QUOTES})" "(?P<agent>{IN_QUOTES})"(?P<tail> .*)?|(?P<rest> (?!").*))?'
        )
    return pattern


def has_free_end(layout: Layout) -> bool:
    """Return whether the last field may be any text."""
    last, before = len(layout.fields) - 1, (layout.begin, *(item.text for item in layout.fields))
    return field_pattern(layout, last, before[last]) == ".*"


def stamp_pattern(layout: Layout) -> re.Pattern[str] | None:
    """Return the pattern of a line's time and the text after it; None where another field is the last.

    Where the address stands behind the time, that has to follow: another time is not a request.
    """
    fields = layout.fields[:-1]
    place = next((place for place, item in enumerate(fields) if item.role in STAMPS), None)
    if place is None:
        return None
    stamp = pattern = STAMPS[fields[place].role] + re.escape(fields[place].text)
    for item in fields[place + 1 :]:
        if item.role == "address":
            return re.compile(pattern + SOME_ADDRESS, re.ASCII)
        if not item.text:
            break
        pattern += rf"[^{re.escape(item.text[0])}]{{0,{MAX_BETWEEN}}}{re.escape(item.text)}"
    return re.compile(stamp, re.ASCII)


def field_pattern(layout: Layout, place: int, before: str) -> str:
    """Return what a field may be, between the texts around it."""
    item = layout.fields[place]
    is_last = place == len(layout.fields) - 1
    is_quoted = before.endswith(QUOTE) and item.text.startswith(QUOTE)
    if item.role in PATTERNS and not (is_quoted and item.role == "user"):
        return PATTERNS[item.role]
    if is_quoted:
        return IN_QUOTES
    if item.text:
        end = re.escape(item.text[0])
        if end == "\\ " and item.role == "address":
            return ADDRESSES
        if end == "\\ " and item.role == "list":
            return IN_LISTS
        return rf"(?>[^{end}]*)"
    if is_last:
        return rf'(?>"[^"]*"|[^{re.escape(before)}]*)' if layout.is_w3c else ".*"
    # Another field follows without any text between, such as $uri$is_args$args or $scheme://$host$request_uri.
    end = next((each.text[0] for each in layout.fields[place:] if each.text), "")
    others = "" if end == "/" else re.escape(end)
    return rf'(?>[^? "{others}]*)' if item.role == "path" else rf'(?>[^/ "{others}]*)'
