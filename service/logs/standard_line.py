"""A request as a line of any format but the shop's tells it, and the fields that these formats share.

A line has no request key. Its key is the digest of the line; equal lines of a file are numbered (line_keys).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from urllib.parse import unquote

from service.logs.shop_format import (
    EARLIEST,
    INNER_RETURN,
    LATEST_AHEAD,
    MAX_DIGITS,
    MAX_LINE_BYTES,
    MAX_NUMBER,
    BadLine,
    Page,
    to_utc,
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY, CLOCK = r"\d\d/[A-Z][a-z]{2}/\d{4}", r"\d\d:\d\d:\d\d"
FRACTION = r"\.\d{1,9}"
ZONED_TIME = rf"{DAY}:{CLOCK} [+-]\d\d[0-5]\d"
# CherryPy and daphne write no zone, WEBrick its abbreviation; Python's http.server, Werkzeug and eventlet
# have a space between day and time, and gevent writes 2018-08-01 00:01:35.
# Apache's %{...}t may tell milliseconds, and the seconds since 1970 as such.
LOCAL_TIME = (
    rf"(?:{DAY}[: ]{CLOCK}(?:{FRACTION})?(?: (?:[+-]\d\d[0-5]\d|[A-Z]{{2,5}}))?|\d{{4}}-\d\d-\d\d {CLOCK})"
)
# Sanic, Ruby and Go have a space before the offset, Ruby also UTC.
ISO_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?[0-5]\d| UTC)?"
UNIX_TIME = r"(?:\d{1,11}(?:\.\d{1,9})?|\d{13}|\d{16})"
TWO_REQUESTS = "two requests stand on one line"
ZULU = ("UTC", "GMT", "Z")
ANY_LOCAL_TIME = re.compile(LOCAL_TIME, re.ASCII)
ANY_ISO_TIME = re.compile(ISO_TIME, re.ASCII)
ANY_UNIX_TIME = re.compile(r"\d{1,20}(?:\.\d*)?", re.ASCII)
WALL_DATE = re.compile(r"^(\d{4})/(\d\d)/(\d\d)")  # of Caddy
FINER_DIGITS = (
    (19, 9),
    (16, 6),
    (13, 3),
)  # of nano-, micro- and milliseconds in this century
SPACE_CODE = re.compile(r"%(?:25)?20")
URL_BEGIN = re.compile(r"[a-z]+:", re.IGNORECASE)  # of a referrer
ISO_FORMAT = re.compile(r"(.{10})[T ](.{8})(?:[.,](\d+))? ?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class StandardLine:
    """A line that matches. Address and URL, mostly a path, are in their normal forms.

    What follows the page is None where the format does not tell it; `body_bytes`, `referrer` and `agent` also
    where the line has a dash.
    """

    instant: datetime
    address: str
    url: str
    page: Page
    method: str | None
    status: int | None
    body_bytes: int | None
    referrer: str | None
    agent: str | None


def decode_line(raw: bytes) -> str:
    """Return the text of a line without its newline.

    :raises BadLine: it is too long, no UTF-8, or there is a carriage return inside
    """
    if len(raw) > MAX_LINE_BYTES:
        raise BadLine(f"line is longer than {MAX_LINE_BYTES} bytes")
    try:
        line = raw.decode().removesuffix("\r")
    except UnicodeDecodeError:
        raise BadLine("not UTF-8") from None
    if "\r" in line:
        raise BadLine(INNER_RETURN)
    return line


def parse_body_bytes(text: str) -> int | None:
    """Return a size; None for a dash.

    :raises BadLine: the number does not fit into 64 bits
    """
    if text in {"-", ""}:
        return None
    digits = text.lstrip("0")
    if len(digits) > MAX_DIGITS or int(digits or 0) > MAX_NUMBER:
        raise BadLine(f"the answer has more than {MAX_NUMBER} bytes")
    return int(digits or 0)


def optional(text: str | None) -> str | None:
    """Return a text as it is written; None for a dash or nothing."""
    return None if text in (None, "-", "") else text


def text_of_w3c(text: str) -> str:
    """Return a text of a W3C log as the client sent it: with + for spaces, or encoded, as CloudFront does.

    A referrer has no spaces, so a + is its own.
    """
    if URL_BEGIN.match(text):
        return text
    if not SPACE_CODE.search(text):
        return text.replace("+", " ")
    while SPACE_CODE.search(text):
        text = unquote(text)  # up to 2018 CloudFront encoded texts twice
    return text


def parse_local_time(text: str, now: datetime, zone: tzinfo = UTC) -> datetime:
    """Return the instant of a time such as `01/Aug/2018:00:01:35 +0200`; `zone` is that of a bare one.

    An abbreviation such as CEST must be one of `zone`, and tells the two passes of an hour apart.

    :raises BadLine: there is no such time, or it is out of range
    """
    if text[4] == "-":
        return parse_iso_time(text, now, zone)
    day, month, year, time = text[:2], text[3:6], text[7:11], text[12:20]
    fraction, _, offset = text[20:].partition(" ")
    try:
        month_number = MONTHS.index(month) + 1
    except ValueError:
        raise BadLine("no such date or time") from None
    instant = parse_instant(f"{year}-{month_number:02}-{day} {time}", offset, now, zone)
    return instant.replace(microsecond=parse_fraction(fraction[1:]))


def parse_fraction(digits: str) -> int:
    """Return the microseconds that a fraction tells, cut and not rounded: no instant is after its text's."""
    return int(digits[:6].ljust(6, "0"))


def parse_any_time(text: str, zone: tzinfo, now: datetime) -> datetime:
    """Return the instant of a time in any of the ways that servers write it; `zone` is that of a bare one.

    Tomcat's has brackets in JSON, too.

    :raises BadLine: there is no such time, or it is out of range
    """
    text = text.removeprefix("[").removesuffix("]")
    if ANY_UNIX_TIME.fullmatch(text):
        return parse_unix_time(text, now)
    if ANY_LOCAL_TIME.fullmatch(text):
        return parse_local_time(text, now, zone)
    text = WALL_DATE.sub(r"\1-\2-\3", text)
    if ANY_ISO_TIME.fullmatch(text):
        return parse_iso_time(text, now, zone)
    raise BadLine("no such date or time")


def parse_iso_time(text: str, now: datetime, zone: tzinfo = UTC) -> datetime:
    """Return the instant of a time such as `2018-08-01T00:01:35+02:00`; `zone` is that of a bare one.

    :raises BadLine: there is no such time, or it is out of range
    """
    match = ISO_FORMAT.fullmatch(text)
    if match is None:
        raise BadLine("no such date or time")
    day, time, fraction, offset = match.groups()
    instant = parse_instant(f"{day} {time}", offset, now, zone)
    return instant.replace(microsecond=parse_fraction(fraction or ""))


def parse_instant(local_time: str, offset: str, now: datetime, zone: tzinfo = UTC) -> datetime:
    """Return the instant of a local time in ISO form, at an offset such as +02:00, or in a zone.

    :raises BadLine: there is no such time, or it is out of range
    """
    try:
        naive = datetime.fromisoformat(local_time)
        if offset and not offset.isalpha():
            zone = parse_offset(offset.strip())
    except ValueError:
        raise BadLine("no such date or time") from None
    if offset in ZULU:
        zone = UTC
    elif offset.isalpha():
        naive = naive.replace(fold=find_fold(naive, zone, offset))
    return to_utc(naive, zone, now).astimezone(UTC)


def find_fold(local_time: datetime, zone: tzinfo, abbreviation: str) -> int:
    """Return which pass of a local time has a clock's abbreviation, such as CEST: 0 for the first.

    :raises BadLine: neither has it
    """
    for fold in (0, 1):
        if local_time.replace(tzinfo=zone, fold=fold).tzname() == abbreviation:
            return fold
    raise BadLine(f"{abbreviation} is not what the clock of LOGS_TIMEZONE, {zone}, shows at that time")


def parse_offset(text: str) -> timezone:
    """Return the zone of an offset such as +02:00 or +0200.

    :raises ValueError: there is no such offset
    """
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def parse_unix_time(text: str, now: datetime) -> datetime:
    """Return the instant of seconds since 1970 such as `1533081695.123`, or of milliseconds and finer ones.

    :raises BadLine: it is out of range
    """
    seconds, _, fraction = text.partition(".")
    for digits, count in FINER_DIGITS:
        if len(seconds) == digits:
            seconds, fraction = seconds[:-count], seconds[-count:]
            break
    try:
        instant = EARLIEST + timedelta(seconds=int(seconds), microseconds=parse_fraction(fraction))
    except OverflowError:
        raise BadLine("time is out of range") from None
    if instant > now + LATEST_AHEAD:
        raise BadLine("time is more than a day ahead")
    return instant
