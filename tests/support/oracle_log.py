"""Reads the access log the slow and obvious way: line by line, all in memory.

Tests compare the server with this oracle, which shares no code with it. `oracle.py` computes the reports.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

MAX_LINE, MAX_URL, MAX_NUMBER = 65_536, 2_048, 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LINE = re.compile(
    r"(?:[^ |]+ *\| )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \[([A-Z0-9]{8})] INFO: ([^ ]+) (.*)",
    re.ASCII | re.DOTALL,
)
URL = re.compile(r"https?://[^\s/?#]+([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Visit:
    """One request. `offset` orders visits of the same time; those with equal offsets keep their order."""

    line: int
    offset: int
    time: datetime
    key: str
    address: str
    url: str
    kind: str
    category: str | None = None
    product: str | None = None
    cart_id: int | None = None
    goods_id: int | None = None
    amount: int | None = None
    user_id: int | None = None
    source: str = "log"
    is_bot: bool = False


@dataclass(frozen=True)
class Reject:
    """A line that does not match: its number from 1, its byte offset from 0, and a coarse reason."""

    line: int
    offset: int
    reason: str


@dataclass
class OracleLog:
    """The content of a log: visits by (time, position), rejects by position."""

    visits: list[Visit] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    duplicates: int = 0

    @property
    def lines(self) -> int:
        return len(self.visits) + len(self.rejects) + self.duplicates


def read_log(lines: Iterable[bytes], *, tz: str = "UTC", now: datetime | None = None) -> OracleLog:
    """Read lines as a binary file yields them: with their newlines, which the last may lack."""
    log, keys, offset, zone = OracleLog(), set[tuple[datetime, str]](), 0, ZoneInfo(tz)
    newest = (now or datetime.now(UTC)) + timedelta(days=1)
    for number, raw in enumerate(lines, start=1):
        whole = raw.removesuffix(b"\n")
        line = re.sub(rb"^(?:\0|\xef\xbb\xbf)+", b"", whole)  # what copytruncate and editors leave
        if line.strip():
            begin = offset + len(whole) - len(line)
            try:
                visit = read_line(line, number, begin, zone, newest)
            except ValueError as error:
                log.rejects.append(Reject(number, begin, str(error)))
            else:
                if (visit.time, visit.key) in keys:
                    log.duplicates += 1
                else:
                    keys.add((visit.time, visit.key))
                    log.visits.append(visit)
        offset += len(raw)
    log.visits = with_products(log.visits)
    return log


def read_line(line: bytes, number: int, offset: int, zone: ZoneInfo, newest: datetime) -> Visit:
    """Return the visit of a line.

    :raises ValueError: the line is a reject, for the reason in the message
    """
    if len(line) > MAX_LINE:
        raise ValueError("line too long")
    try:
        text = re.sub(r"\x1b\[[0-9;]*m", "", line.removesuffix(b"\r").decode())
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    match = LINE.fullmatch(text)
    if match is None or "\r" in text:
        raise ValueError("not an access line")
    stamp, key, address, url = match.groups()
    time = read_time(stamp, zone, newest)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise ValueError("bad address") from None
    if "%" in address:
        raise ValueError("bad address")
    mapped = getattr(parsed, "ipv4_mapped", None)
    return classify(Visit(number, offset, time, key, str(mapped or parsed), url, "other"))


def read_time(stamp: str, zone: ZoneInfo, newest: datetime) -> datetime:
    """Read a local time of the log.

    :raises ValueError: there is no such time, or it is before 1970 or after `newest`
    """
    try:
        local_time = datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S")
        time = local_time.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("bad time") from None
    if time.astimezone(zone).replace(tzinfo=None) != local_time:
        raise ValueError("skipped time")
    if not EPOCH <= time <= newest:
        raise ValueError("time out of range")
    return time


def classify(visit: Visit) -> Visit:
    """Return the visit with its kind, and the fields that its URL holds.

    :raises ValueError: the URL or a number in it is bad
    """
    match = URL.fullmatch(visit.url)
    if (
        match is None
        or len(visit.url) > MAX_URL
        or any(char == " " or unicodedata.category(char) == "Cc" for char in visit.url)
    ):
        raise ValueError("bad URL")
    url = normal_form(visit.url)
    visit, match = replace(visit, url=url), URL.fullmatch(url)
    assert match is not None
    path, query = match[1], match[2] or ""
    if path in {"", "/"}:
        return replace(visit, kind="main")
    match path.removeprefix("/").removesuffix("/").split("/"):
        case ["cart"]:
            goods_id, amount, cart_id = (number(query, name) for name in ("goods_id", "amount", "cart_id"))
            return replace(visit, kind="cart", goods_id=goods_id, amount=amount, cart_id=cart_id)
        case ["pay"]:
            user_id, cart_id = (number(query, name) for name in ("user_id", "cart_id"))
            return replace(visit, kind="pay", user_id=user_id, cart_id=cart_id)
        case [name] if name.startswith("success_pay_"):
            return replace(visit, kind="success", cart_id=whole(name.removeprefix("success_pay_")))
        case [category] if category:
            return replace(visit, kind="category", category=unquote(category))
        case [category, product] if category and product:
            return replace(visit, kind="product", category=unquote(category), product=unquote(product))
    return visit


def normal_form(url: str) -> str:
    """Return a URL, with no user and no port, as RFC 3986 normalises it, letter by letter."""
    scheme, _, rest = url.partition("://")
    cut = min((rest.find(char) for char in "/?#" if char in rest), default=len(rest))
    host, rest = rest[:cut].lower(), rest[cut:]
    rest = "".join(normal_letter(piece) for piece in re.findall("(?:%[0-9a-fA-F]{2})+|.", rest, re.DOTALL))
    cut = min((rest.find(char) for char in "?#" if char in rest), default=len(rest))
    folders: list[str] = []
    segments = rest[:cut].removeprefix("/").split("/")
    for at, segment in enumerate(segments):
        if segment == "..":
            folders = folders[:-1]
        if segment not in (".", ".."):
            folders.append(segment)
        elif at == len(segments) - 1:
            folders.append("")
    return f"{scheme.lower()}://{host}/{'/'.join(folders)}{rest[cut:]}"


def normal_letter(piece: str) -> str:
    """Return a letter, or encoded ones, as they are in the normal form of a URL; all bytes are UTF-8."""
    letters, reserved = (unquote(piece), "") if len(piece) > 1 else (piece, ":/?#[]@!$&'()*+,;=")
    return "".join(
        char if char.isalnum() or char in "-._~" or char in reserved else quote(char, safe="")
        for char in letters
    )


def number(query: str, name: str) -> int:
    values = [value for key, _, value in (part.partition("=") for part in query.split("&")) if key == name]
    if len(values) != 1:
        raise ValueError(f"{name} given twice" if values else f"{name} missing")
    return whole(values[0])


def whole(text: str) -> int:
    if not re.fullmatch("[0-9]+", text) or not 1 <= int(text) <= MAX_NUMBER:
        raise ValueError("bad number")
    return int(text)


def in_order(visits: Iterable[Visit]) -> list[Visit]:
    return sorted(visits, key=lambda visit: (visit.time, visit.offset))


def products_of_goods(visits: Iterable[Visit]) -> dict[int, tuple[str | None, str | None]]:
    """goods_id -> (category, name): the last page of its address before the first cart line that has one."""
    viewed: dict[str, tuple[str | None, str | None]] = {}
    products: dict[int, tuple[str | None, str | None]] = {}
    for visit in in_order(visits):
        if visit.kind == "product":
            viewed[visit.address] = (visit.category, visit.product)
        elif visit.goods_id is not None and visit.goods_id not in products and visit.address in viewed:
            products[visit.goods_id] = viewed[visit.address]
    return products


def with_products(visits: Iterable[Visit]) -> list[Visit]:
    """Return the visits in order, each cart line with the product of its goods, if that can be inferred."""
    visits = in_order(visits)
    products = products_of_goods(visits)
    pairs = [(visit, products.get(visit.goods_id or 0)) for visit in visits]
    return [
        replace(visit, category=product[0], product=product[1]) if product else visit
        for visit, product in pairs
    ]
