"""Parses a chunk of the shop's log in columns, and line by line what is not written as most lines are.

Both give what the grammar (shop_format) gives: a property test compares them on any bytes. A line goes the
quick way by steps (head, time, address, URL), and from each of them to the grammar if it does not fit.
"""

from collections import Counter
from datetime import datetime, tzinfo

import numpy as np

from calendar_days import microseconds
from service.logs.addresses import AddressTable
from service.logs.assembly import Columns, Tables, assemble, merge_rows, take
from service.logs.chunk_text import ChunkText, Places
from service.logs.chunks import Chunk
from service.logs.known_texts import UNKNOWN
from service.logs.line_columns import (
    KINDS,
    NUMBERS,
    TEMPLATE_PAGE,
    LineColumns,
    PageName,
    is_template,
    shop_key,
)
from service.logs.local_times import local_clock
from service.logs.name_table import NameTable
from service.logs.rejects import RejectedLine, is_blank, make_reject
from service.logs.shop_format import (
    LATEST_AHEAD,
    BadLine,
    LogLine,
    Page,
    check_url,
    parse_line,
    parse_url,
    to_utc,
)
from service.logs.shop_heads import read_heads
from service.logs.template_urls import read_templates

SECOND = 1_000_000
SAMPLES = 25  # of lines, to see which hosts they name
MAX_HOSTS = 5
COLUMNS = ("occurred", "key", "position", "kind", "address", "page", *NUMBERS)


class ShopParser:
    """Parses the chunks of a log. Keeps addresses and pages from one chunk to the next."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._addresses = AddressTable()
        self._pages = NameTable[PageName](lambda urls: [page_without_numbers(url) for url in urls])

    def parse(self, chunk: Chunk, *, now: datetime) -> LineColumns:
        """Parse every line of the chunk: into a visit, a duplicate within the chunk, or a reject."""
        self._addresses.trim()
        self._pages.trim()
        text = ChunkText(chunk.data)
        host, rows, columns = self._parse_common(text, now)
        columns["position"] = rows + chunk.line
        is_other = text.ends > text.starts
        is_other[rows] = False
        others = np.flatnonzero(is_other)
        visits, rejects = list[tuple[int, ...]](), list[RejectedLine]()
        for row, raw in zip(others.tolist(), text.lines(others), strict=True):
            if is_blank(raw):
                continue
            try:
                line = parse_line(raw)
                instant = to_utc(line.local_time, self._zone, now)
            except BadLine as error:
                offset = chunk.offset + int(text.starts[row])
                rejects.append(make_reject(raw, chunk.line + row, offset, str(error), log_format="shop"))
            else:
                host = host or host_of(line.url)
                visits.append(self._visit(line, microseconds(instant), chunk.line + row, host))
        tables = Tables(self._addresses, self._pages)
        return assemble(merge_rows(columns, visits), tables, host=host, rejects=rejects)

    def _parse_common(self, text: ChunkText, now: datetime) -> tuple[str, Places, Columns]:
        """Parse the lines that are written as most are.

        Return the host of template pages, which lines these are, and their columns.
        """
        heads = read_heads(text)
        seconds, is_good = local_clock(self._zone, now.year + 1).to_utc(heads.local_seconds)
        occurred, ends = seconds * SECOND, text.ends[heads.rows]
        is_good &= (occurred >= 0) & (occurred <= microseconds(now + LATEST_AHEAD))
        addresses, address_ends = self._addresses.read(text, heads.ends, ends)
        rows = np.flatnonzero(is_good & (addresses != UNKNOWN))
        host, columns = self._read_urls(text, address_ends[rows] + 1, ends[rows])
        columns["occurred"], columns["key"] = occurred[rows], heads.keys[rows]
        columns["position"], columns["address"] = heads.rows[rows], addresses[rows]
        columns = take(columns, np.flatnonzero(columns["page"] != UNKNOWN))
        return host, columns["position"], columns

    def _read_urls(self, text: ChunkText, starts: Places, ends: Places) -> tuple[str, Columns]:
        """Return the host of template pages, and the columns that follow from URLs.

        The page of a URL that the grammar has to parse is UNKNOWN.
        """
        columns = {name: np.zeros(len(starts), np.int64) for name in COLUMNS}
        has_name = np.ones(len(starts), np.bool_)
        hosts = common_hosts(text, starts, ends)
        for host in hosts:
            for kind, rows, numbers in read_templates(text, starts, ends, host):
                has_name[rows] = False
                columns["kind"][rows] = KINDS.index(kind)
                columns["page"][rows] = TEMPLATE_PAGE
                for name, values in numbers.items():
                    columns[name][rows] = values
                if host != hosts[0]:
                    urls = text.slices(starts[rows], ends[rows])
                    names = [self._pages.add(PageName(url.decode(), kind), len(url)) for url in urls]
                    columns["page"][rows] = names
        rows = np.flatnonzero(has_name)
        columns["page"][rows] = self._pages.get(text, starts[rows], ends[rows])
        return hosts[0].decode() if hosts else "", columns

    def _visit(self, line: LogLine, occurred: int, position: int, host: str) -> tuple[int, ...]:
        """Return the values of COLUMNS of a line."""
        page, url = line.page, line.url
        address = self._addresses.add(line.address, len(line.address))
        numbers = {name: getattr(page, name) or 0 for name in NUMBERS}
        number = TEMPLATE_PAGE
        if not is_template(url, page, host):
            number = self._pages.add(PageName(url, page.kind, page.category, page.product), len(url))
        kind = KINDS.index(page.kind)
        return (occurred, shop_key(line.key), position, kind, address, number, *numbers.values())


def page_without_numbers(raw: bytes) -> PageName | None:
    """Return the page of a URL; None if it is bad, or has numbers, for which there is no name."""
    try:
        url = check_url(raw.decode())
        page = parse_url(url)
    except (BadLine, UnicodeDecodeError):
        return None
    return PageName(url, page.kind, page.category, page.product) if page.cart_id is None else None


def common_hosts(text: ChunkText, starts: Places, ends: Places) -> list[bytes]:
    """Return the schemes and hosts of some of the URLs, the most common first, as the grammar takes them."""
    if not len(starts):
        return []
    samples = np.linspace(0, len(starts) - 1, SAMPLES).astype(np.int64)
    urls = text.slices(starts[samples], ends[samples])
    hosts = Counter(b"/".join(url.split(b"/", 3)[:3]) for url in urls)
    return [host for host, _ in hosts.most_common(MAX_HOSTS) if is_host(host)]


def is_host(text: bytes) -> bool:
    """Return whether a scheme and host are in normal form, so that template pages behind them are too."""
    try:
        url = text.decode() + "/success_pay_1/"
        return check_url(url) == url and parse_url(url) == Page("success", cart_id=1)
    except (BadLine, UnicodeDecodeError):
        return False


def host_of(url: str) -> str:
    """Return the scheme and host of a URL, as far as a template may follow it."""
    return "/".join(url.split("/", 3)[:3])
