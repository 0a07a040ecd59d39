"""The grammar of JSON lines: an object a line, as nginx (escape=json), Caddy and Traefik write them.

    {"time_local": "28/Nov/2026:10:02:00 +0000", "remote_addr": "203.0.113.9", "request": "GET / HTTP/1.1", …}
    {"ts": 1795687200.1, "request": {"client_ip": "203.0.113.9", "method": "GET", "uri": "/"}, "status": 200}
    {"StartUTC": "2026-11-28T10:03:00Z", "ClientHost": "203.0.113.9", "RequestPath": "/", …}

The first path of PATHS at which a line has a text or a number is read; those of LOGS_RULES go before them.
Keys that hold a dot themselves may be named so, too.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

import msgspec
import numpy as np

from service.logs.chunk_text import ChunkText, Places
from service.logs.client_address import parse_client_address
from service.logs.container_text import ANY_PREFIX, LinePrefix
from service.logs.requests import URL, parse_answer, parse_request, parse_status, require_url
from service.logs.shop_format import BadLine, Page
from service.logs.standard_line import (
    TWO_REQUESTS,
    StandardLine,
    decode_line,
    optional,
    parse_any_time,
    parse_body_bytes,
)
from service.logs.url_rules import Rules
from service.logs.views import is_view

NAME = "json"
Paths = tuple[tuple[str, ...], ...]


def paths(*names: str) -> Paths:
    """Return the paths of names: with the keys between the dots, or the name as a key itself."""
    return tuple(tuple(name.split(".")) for name in names)


# By what LOGS_RULES calls them (url_rules.FIELDS).
PATHS: dict[str, Paths] = {
    "time": paths(
        *("time_iso8601", "StartUTC", "StartLocal", "time_local", "msec", "ts", "@timestamp", "timestamp"),
        *("time", "datetime", "date"),
    ),
    "address": paths(
        *("remote_addr", "request.client_ip", "request.remote_ip", "ClientHost", "ClientAddr", "client_ip"),
        *("remote_ip", "remote_address", "clientip", "client", "address", "ip", "request.remote_addr"),
    ),
    "method": paths("request_method", "request.method", "RequestMethod", "method", "verb"),
    "url": paths("request_uri", "request", "request.uri", "RequestPath", "uri", "url", "path"),
    "query": (),  # only where LOGS_RULES or a log_format names it: others mean other things by such names
    "status": paths("status", "DownstreamStatus", "OriginStatus", "status_code", "response", "code"),
    "bytes": paths("body_bytes_sent", "bytes_sent", "size", "DownstreamContentSize", "bytes"),
    "referrer": paths(
        *("http_referer", "http_referrer", "request.headers.Referer", "request_Referer"),
        *("referer", "referrer"),
    ),
    "agent": paths(
        *("http_user_agent", "request.headers.User-Agent", "request_User-Agent", "user_agent"),
        *("userAgent", "useragent", "agent"),
    ),
}
ROLES = tuple(PATHS)
STATUS = ROLES.index("status")


@dataclass(frozen=True, slots=True, eq=False)
class JsonFormat:
    """Which fields of objects are read.

    :param fields: for roles such as `time`, the path at which it stands, such as `request.ts`
    :param zone: of times that name none
    :param state: by which it is restored
    """

    zone: tzinfo
    fields: Mapping[str, str] = field(default_factory=dict)
    state: str = NAME
    paths: list[Paths] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        for role, built_in in PATHS.items():
            name = self.fields.get(role)
            self.paths.append(built_in if name is None else ((name,), *paths(name)))

    @property
    def name(self) -> str:
        return NAME

    @property
    def prefix(self) -> LinePrefix:
        return ANY_PREFIX

    def fits(self, raw: bytes) -> bool:
        """Return whether a line is an object that names a time, an address and a URL."""
        try:
            record = decode_object(decode_line(raw))
        except BadLine:
            return False
        time, address, _, url, *_ = self.find_all(record)
        return None not in {time, address, url}

    def sections(self, text: ChunkText) -> list[tuple["JsonFormat", Places]]:
        """Return all lines that are not empty."""
        return [(self, np.flatnonzero(text.ends > text.starts))]

    def parse(self, raw: bytes, rules: Rules | None, now: datetime) -> StandardLine:
        """Parse a line without its newline.

        :raises BadLine: the line does not match; no bytes raise anything else
        """
        record = decode_object(decode_line(raw))
        time, address, method, url, query, status, size, referrer, agent = self.find_all(record)
        if time is None or address is None or url is None:
            missing = "time" if time is None else "address" if address is None else "URL"
            raise BadLine(f"the object has no {missing}")
        method, code, url, page = read_answer(with_query(url, query), method, status, rules)
        return StandardLine(
            parse_any_time(time, self.zone, now),
            parse_client_address(address),
            url,
            page,
            method,
            code,
            parse_body_bytes(whole(size)),
            optional(referrer),
            optional(agent),
        )

    def find_all(self, record: dict[str, Any]) -> list[str | None]:
        """Return what an object has for each of ROLES, as text; None for nothing.

        A status that is null is an empty text: the line tells that there was none.
        """
        texts = [find(record, paths) for paths in self.paths]
        if texts[STATUS] is None and has_null(record, self.paths[STATUS]):
            texts[STATUS] = ""
        return texts


def find(record: dict[str, Any], paths: Paths) -> str | None:
    """Return the first text or number that an object has at one of the paths, as text."""
    for first, *rest in paths:
        value = record.get(first)
        for key in rest:
            value = value.get(key) if type(value) is dict else None
        if value is not None and (text := text_of_value(value)) is not None:
            return text
    return None


def text_of_value(value: object) -> str | None:
    """Return a text or a number as text, also the first of a list, as headers are; None for anything else."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    return None


def has_null(record: dict[str, Any], paths: Paths) -> bool:
    """Return whether an object has a null at one of the paths."""
    for *keys, last in paths:
        value: Any = record
        for key in keys:
            value = value.get(key) if type(value) is dict else None
        if type(value) is dict and last in value and value[last] is None:
            return True
    return False


def with_query(url: str, query: str | None) -> str:
    """Return a URL with its query, where that stands beside it, with a ? or without."""
    if query in (None, "", "-") or "?" in url:
        return url
    return f"{url}?{query.removeprefix('?')}"


def read_answer(
    text: str, method_text: str | None, status_text: str | None, rules: Rules | None
) -> tuple[str | None, int | None, str, Page]:
    """Return method, status, URL in its normal form, and the page that was shown.

    :param text: a URL, or a whole request such as GET / HTTP/1.1
    :raises BadLine: one of them can't be read
    """
    status = parse_status(status_text)
    if " " in text and URL.match(text) is None:
        method: str | None
        method, url = parse_request(text, status)
    else:
        # hapi writes methods in small letters.
        method, url = optional((method_text or "").upper()), require_url(text)
    is_shown = is_view(
        method, status, tells_method=method_text is not None, tells_status=status_text is not None
    )
    url, page = parse_answer(url, rules, is_shown=is_shown)
    return method, status, url, page


def decode_object(line: str) -> dict[str, Any]:
    """Return the object that a line is.

    :raises BadLine: it is none
    """
    if not line.lstrip().startswith("{"):
        raise BadLine("not an object in JSON")
    try:
        return DECODER.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        if "\\x" in line:
            with suppress(msgspec.DecodeError, RecursionError):
                return DECODER.decode(HEX_ESCAPES.sub(text_of_escapes, line))
        if "trailing characters" in str(error):
            raise BadLine(TWO_REQUESTS) from None
        raise BadLine("not an object in JSON") from None


def text_of_escapes(escapes: re.Match[str]) -> str:
    """Return the part of a JSON text that stands for bytes which nginx writes without `escape=json`."""
    raw = bytes.fromhex(escapes[0].replace("\\x", ""))
    try:
        return msgspec.json.encode(raw.decode()).decode()[1:-1]
    except UnicodeDecodeError:
        return escapes[0].replace("\\", "\\\\")  # the URL is read so, too


HEX_ESCAPES = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+")
# A number that no float can hold is infinite, and no reason to reject a line.
DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=float)


def number_text(value: float) -> str:
    """Return a number as a text without an exponent."""
    if isinstance(value, int):
        return str(value)
    return f"{value:.6f}".removesuffix(".000000")


def whole(text: str | None) -> str:
    """Return the whole part of a size; a dash for what is none."""
    digits = (text or "").partition(".")[0]
    return digits if digits.isascii() and digits.isdigit() else "-"
