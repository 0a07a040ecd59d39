"""The grammar of JSON lines: an object a line, as nginx (escape=json), Caddy and Traefik write them.

    {"time_local": "28/Nov/2026:10:02:00 +0000", "remote_addr": "203.0.113.9", "request": "GET / HTTP/1.1", …}
    {"ts": 1795687200.1, "request": {"client_ip": "203.0.113.9", "method": "GET", "uri": "/"}, "status": 200}
    {"StartUTC": "2026-11-28T10:03:00Z", "ClientHost": "203.0.113.9", "RequestPath": "/", …}

The first path of PATHS at which a line has a text or a number is read; those of LOGS_RULES go before them.
Keys that hold a dot themselves may be named so, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

import msgspec
import numpy as np

from service.logs.chunk_text import ChunkText, Places
from service.logs.client_address import parse_client_address
from service.logs.shop_format import BadLine
from service.logs.standard_line import (
    TWO_REQUESTS,
    StandardLine,
    decode_line,
    optional,
    parse_answer,
    parse_any_time,
    parse_body_bytes,
    parse_request,
    parse_status,
    require_url,
)
from service.logs.url_rules import Rules

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
    _paths: list[Paths] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        for role, built_in in PATHS.items():
            name = self.fields.get(role)
            self._paths.append(built_in if name is None else ((name,), *paths(name)))

    @property
    def name(self) -> str:
        return NAME

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
        time, address, method, url, status, size, referrer, agent = self.find_all(record)
        if time is None or address is None or url is None:
            missing = "time" if time is None else "address" if address is None else "URL"
            raise BadLine(f"the object has no {missing}")
        method, url = read_request(url, method)
        code = parse_status(status)
        url, page = parse_answer(url, method, code, rules)
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
        """Return what an object has for each of ROLES, as text; None for nothing."""
        return [find(record, paths) for paths in self._paths]


def find(record: dict[str, Any], paths: Paths) -> str | None:
    """Return the first text or number that an object has at one of the paths, as text."""
    for first, *rest in paths:
        value = record.get(first)
        for key in rest:
            value = value.get(key) if type(value) is dict else None
        if type(value) is str:
            return value if "\0" not in value else clean(value)
        if value is None:
            continue
        if type(value) is list and value:  # as headers are
            value = value[0]
        if type(value) is str:
            return clean(value)
        if type(value) in {int, float}:
            return number_text(value)
    return None


def read_request(url: str, method: str | None) -> tuple[str | None, str]:
    """Return the method and the URL, which may be a whole request such as GET / HTTP/1.1.

    :raises BadLine: NO_URL
    """
    if " " in url:
        return parse_request(url)
    return optional(method), require_url(url)


def decode_object(line: str) -> dict[str, Any]:
    """Return the object that a line is.

    :raises BadLine: it is none
    """
    if not line.lstrip().startswith("{"):
        raise BadLine("not an object in JSON")
    try:
        return DECODER.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        if "trailing characters" in str(error):
            raise BadLine(TWO_REQUESTS) from None
        raise BadLine("not an object in JSON") from None


DECODER = msgspec.json.Decoder(dict[str, Any])


def clean(text: str) -> str:
    """Return a text as PostgreSQL can store it."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def number_text(value: float) -> str:
    """Return a number as a text without an exponent."""
    if type(value) is int:
        return str(value)
    return f"{value:.6f}".removesuffix(".000000")


def whole(text: str | None) -> str:
    """Return the whole part of a size; a dash for what is none."""
    digits = (text or "").partition(".")[0]
    return digits if digits.isascii() and digits.isdigit() else "-"
