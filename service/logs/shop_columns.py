"""Parses a chunk of the shop's log in columns, and line by line what is not written as most lines are.

Both give what the grammar (shop_format) gives: a property test compares them on any bytes. A line goes the
quick way by steps (head, time, address, URL), and from each of them to the grammar if it does not fit.
"""

from collections import Counter
from datetime import datetime, timedelta, tzinfo

import numpy as np

from service.logs.addresses import AddressTable
from service.logs.chunk_text import ChunkText, Places
from service.logs.chunks import Chunk
from service.logs.known_texts import UNKNOWN
from service.logs.line_columns import (
    EPOCH,
    KINDS,
    NUMBERS,
    TEMPLATE_PAGE,
    LineColumns,
    PageName,
    shop_key,
    template_url,
)
from service.logs.local_times import local_clock
from service.logs.name_table import NameTable
from service.logs.ordering import Columns, merge_rows, order_lines
from service.logs.rejects import RejectedLine, is_blank, make_reject
from service.logs.shop_format import LATEST_AHEAD, BadLine, LogLine, Page, parse_line, parse_url, to_utc
from service.logs.shop_heads import read_heads
from service.logs.template_urls import read_templates

SECOND = 1_000_000
MICROSECOND = timedelta(microseconds=1)
SAMPLES = 15  # of lines, to see which host most of them name
COLUMNS = ("occurred", "key", "position", "kind", "address", "page", *NUMBERS)


class ShopParser:
    """Parses the chunks of a log. Keeps addresses and pages from one chunk to the next."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._addresses = AddressTable()
        self._pages = NameTable[PageName](page_without_numbers)

    def parse(self, chunk: Chunk, *, now: datetime) -> LineColumns:
        """Parse every line of the chunk: into a visit, a duplicate within the chunk, or a reject."""
        self._addresses.trim()
        self._pages.trim()
        text = ChunkText(chunk.data)
        host, rows, columns = self._parse_common(text, now)
        columns["position"] += chunk.line
        is_other = text.ends > text.starts
        is_other[rows] = False
        visits, rejects = list[tuple[int, ...]](), list[RejectedLine]()
        for row in np.flatnonzero(is_other).tolist():
            raw = text.line(row)
            if is_blank(raw):
                continue
            try:
                line = parse_line(raw)
                instant = to_utc(line.local_time, self._zone, now)
            except BadLine as error:
                offset = chunk.offset + int(text.starts[row])
                rejects.append(make_reject(raw, chunk.line + row, offset, str(error)))
            else:
                host = host or host_of(line.url)
                visits.append(self._visit(line, (instant - EPOCH) // MICROSECOND, chunk.line + row, host))
        return self._finish(*order_lines(merge_rows(columns, visits)), host, rejects)

    def _parse_common(self, text: ChunkText, now: datetime) -> tuple[str, Places, Columns]:
        """Parse the lines that are written as most are: return the host of template pages, which lines
        these are, and their columns.
        """
        heads = read_heads(text)
        seconds, is_good = local_clock(self._zone, now.year + 1).to_utc(heads.local_seconds)
        occurred, ends = seconds * SECOND, text.ends[heads.rows]
        is_good &= (occurred >= 0) & (occurred <= (now + LATEST_AHEAD - EPOCH) // MICROSECOND)
        addresses, urls_at = self._addresses.read(text, heads.ends, ends)
        is_good &= addresses != UNKNOWN
        urls_at += 1
        host = common_host(text, urls_at[is_good], ends[is_good])
        columns = dict.fromkeys(COLUMNS, np.zeros(0, np.int64))
        columns |= {name: np.zeros(len(ends), np.int64) for name in ("kind", *NUMBERS)}
        columns |= {"occurred": occurred, "key": heads.keys, "position": heads.rows, "address": addresses}
        pages = np.full(len(ends), TEMPLATE_PAGE, np.int64)
        has_name = is_good.copy()
        for kind, rows, numbers in read_templates(text, urls_at, ends, host) if host else ():
            has_name[rows] = False
            columns["kind"][rows] = KINDS.index(kind)
            for name, values in numbers.items():
                columns[name][rows] = values
        named = np.flatnonzero(has_name)
        pages[named] = self._pages.look_up(text, urls_at[named], ends[named])
        is_good[named] = pages[named] != UNKNOWN
        columns["page"] = pages
        rows = np.flatnonzero(is_good)
        columns = {name: column[rows] for name, column in columns.items()}
        return host.decode(), heads.rows[rows], columns

    def _visit(self, line: LogLine, occurred: int, position: int, host: str) -> tuple[int, ...]:
        """Return the values of COLUMNS of a line."""
        page, url = line.page, line.url
        address = self._addresses.number(line.address, len(line.address))
        numbers = {name: getattr(page, name) or 0 for name in NUMBERS}
        number = TEMPLATE_PAGE
        if not is_template(url, page, host):
            number = self._pages.number(PageName(url, page.kind, page.category, page.product), len(url))
        kind = KINDS.index(page.kind)
        return (occurred, shop_key(line.key), position, kind, address, number, *numbers.values())

    def _finish(
        self, columns: Columns, duplicates: int, host: str, rejects: list[RejectedLine]
    ) -> LineColumns:
        """Return the columns with the names of this chunk alone."""
        addresses, address = self._addresses.compact(columns["address"])
        named = np.flatnonzero(columns["page"] != TEMPLATE_PAGE)
        pages, page_of_named = self._pages.compact(columns["page"][named])
        kind, page = columns["kind"].astype(np.int8), columns["page"].astype(np.int32)
        page[named] = page_of_named
        kind[named] = np.array([KINDS.index(name.kind) for name in pages], np.int8)[page_of_named]
        return LineColumns(
            occurred=columns["occurred"],
            key=columns["key"],
            position=columns["position"],
            kind=kind,
            address=address,
            page=page,
            cart_id=columns["cart_id"],
            goods_id=columns["goods_id"],
            amount=columns["amount"],
            user_id=columns["user_id"],
            addresses=addresses,
            pages=pages,
            host=host,
            rejects=rejects,
            duplicates=duplicates,
        )


def page_without_numbers(raw: bytes) -> PageName | None:
    """Return the page of a URL; None if it is bad, or has numbers, for which there is no name."""
    try:
        url = raw.decode()
        page = parse_url(url)
    except (BadLine, UnicodeDecodeError):
        return None
    return PageName(url, page.kind, page.category, page.product) if page.cart_id is None else None


def is_template(url: str, page: Page, host: str) -> bool:
    if page.cart_id is None:
        return False
    numbers = {name: getattr(page, name) or 0 for name in NUMBERS}
    return url == template_url(host, page.kind, **numbers)


def common_host(text: ChunkText, starts: Places, ends: Places) -> bytes:
    """Return the scheme and host of most of some of the URLs; empty if the grammar does not take it."""
    if not len(starts):
        return b""
    samples = np.linspace(0, len(starts) - 1, SAMPLES).astype(np.int64)
    hosts = Counter(b"/".join(url.split(b"/", 3)[:3]) for url in text.slices(starts[samples], ends[samples]))
    [(host, _)] = hosts.most_common(1)
    try:
        is_good = parse_url(host.decode() + "/success_pay_1/") == Page("success", cart_id=1)
    except (BadLine, UnicodeDecodeError):
        return b""
    return host if is_good else b""


def host_of(url: str) -> str:
    """Return the scheme and host of a URL, as far as a template may follow it."""
    return "/".join(url.split("/", 3)[:3])
