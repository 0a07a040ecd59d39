"""Parses a chunk in the common or combined format in columns, and line by line what is not written so.

Both give what the grammar (combined_format) gives: a property test compares them on any bytes.
"""

import re
from datetime import datetime, timedelta

import numpy as np

from service.logs.assembly import Columns, Tables, assemble, merge_rows, take
from service.logs.chunk_text import ChunkText, Mask, Places
from service.logs.chunks import Chunk
from service.logs.combined_format import DEFAULT_HOST, StandardLine, parse_page, parse_standard_line
from service.logs.known_texts import UNKNOWN
from service.logs.line_columns import (
    EPOCH,
    KINDS,
    NUMBERS,
    REQUEST_COLUMNS,
    TEMPLATE_PAGE,
    LineColumns,
    PageName,
    is_template,
)
from service.logs.line_keys import DigestKeys
from service.logs.name_table import NameTable
from service.logs.rejects import RejectedLine, is_blank, make_reject
from service.logs.shop_format import LATEST_AHEAD, BadLine, check_url
from service.logs.standard_fields import StandardFields
from service.logs.template_urls import read_templates
from service.logs.url_rules import Rules
from service.logs.views import FIRST_SUCCESS, LAST_SUCCESS, NOT_MODIFIED, VIEW_METHODS

MICROSECOND = timedelta(microseconds=1)
COLUMNS = ("occurred", "position", "kind", "address", "page", *NUMBERS, *REQUEST_COLUMNS)
URL_BEGINS = ("/", "http://", "https://")
EXACT_URL = re.compile(r'(?:[^"\\]|\\x[0-9A-Fa-f]{2})+')  # no other escape may hide a quote


class StandardParser:
    """Parses the chunks of a log, in their order. Keeps names from one chunk to the next."""

    def __init__(self, rules: Rules | None) -> None:
        self._rules = rules
        self._pages = NameTable[PageName](lambda urls: [self._page_name(url) for url in urls])
        self._fields = StandardFields(self._pages)
        self._keys = DigestKeys()

    def parse(self, chunk: Chunk, *, log_format: str, now: datetime) -> LineColumns:
        """Parse every line of the chunk: into a visit, a duplicate within the chunk, or a reject."""
        self._fields.trim()
        text = ChunkText(chunk.data)
        columns = self._parse_common(text, now)
        is_other = text.ends > text.starts
        is_other[columns["position"]] = False
        others = np.flatnonzero(is_other)
        visits, rejects = list[tuple[int, ...]](), list[RejectedLine]()
        for row, raw in zip(others.tolist(), text.lines(others), strict=True):
            if is_blank(raw):
                continue
            try:
                line = parse_standard_line(raw, self._rules, now)
            except BadLine as error:
                offset = chunk.offset + int(text.starts[row])
                rejects.append(make_reject(raw, chunk.line + row, offset, str(error)))
            else:
                visits.append(self._visit(line, row))
        columns = merge_rows(columns, visits)
        if visits:
            columns = take(columns, np.argsort(columns["position"]))
        rows = columns["position"]
        lines = text.slices(text.starts[rows], text.ends[rows])
        columns["key"] = self._keys.keys(chunk, lines, text.starts[rows] + chunk.offset)
        columns["position"] = rows + chunk.line
        fields = self._fields
        tables = Tables(fields.addresses, self._pages, fields.methods, fields.referrers, fields.agents)
        return assemble(columns, tables, host="", rejects=rejects, log_format=log_format)

    def _parse_common(self, text: ChunkText, now: datetime) -> Columns:
        """Return the columns of the lines that are written as most are; `position` is their index."""
        fields = self._fields.read(text)
        occurred = fields["occurred"]
        is_good = (occurred >= 0) & (occurred <= (now + LATEST_AHEAD - EPOCH) // MICROSECOND)
        fields = take(fields, np.flatnonzero(is_good))
        columns = {name: np.zeros(len(fields["row"]), np.int64) for name in COLUMNS}
        columns |= {name: fields[name] for name in ("occurred", "address", *REQUEST_COLUMNS)}
        columns["position"] = fields["row"]
        self._read_urls(text, fields["url_at"], fields["url_end"], columns)
        return take(columns, np.flatnonzero(columns["page"] != UNKNOWN))

    def _read_urls(self, text: ChunkText, starts: Places, ends: Places, columns: Columns) -> None:
        """Set what follows from URLs; the page of one that the grammar has to parse is UNKNOWN."""
        has_name = np.ones(len(starts), np.bool_)
        if self._rules is None:
            for kind, rows, numbers in read_templates(text, starts, ends, b""):
                has_name[rows] = False
                columns["kind"][rows] = KINDS.index(kind)
                columns["page"][rows] = TEMPLATE_PAGE
                for name, values in numbers.items():
                    columns[name][rows] = values
        rows = np.flatnonzero(has_name)
        columns["page"][rows] = self._pages.look_up(text, starts[rows], ends[rows])
        self._set_other_pages(text, starts, ends, columns)

    def _set_other_pages(self, text: ChunkText, starts: Places, ends: Places, columns: Columns) -> None:
        """Make the pages of requests that are no views `other`, without numbers."""
        pages, is_other = columns["page"], ~self._are_views(columns)
        rows = np.flatnonzero(is_other & (pages >= 0))
        distinct, places = np.unique(pages[rows], return_inverse=True)
        urls = [self._pages.name(number).url for number in distinct.tolist()]
        pages[rows] = np.array([self._other_page(url) for url in urls], np.int64)[places]
        rows = np.flatnonzero(is_other & (pages == TEMPLATE_PAGE))
        pages[rows] = [self._other_page(url.decode()) for url in text.slices(starts[rows], ends[rows])]
        for name in NUMBERS:
            columns[name][rows] = 0

    def _are_views(self, columns: Columns) -> Mask:
        """Return what `is_view` returns of each request."""
        methods, places = self._fields.methods.compact(columns["method"])
        is_view_method = np.array([method in VIEW_METHODS for method in methods], np.bool_)
        status = columns["status"]
        is_success: Mask = (status >= FIRST_SUCCESS) & (status <= LAST_SUCCESS) | (status == NOT_MODIFIED)
        return is_success & is_view_method[places]

    def _visit(self, line: StandardLine, row: int) -> tuple[int, ...]:
        """Return the values of COLUMNS of a line."""
        page, url, fields = line.page, line.url, self._fields
        number = TEMPLATE_PAGE
        if not is_template(url, page, ""):
            number = self._pages.add(PageName(url, page.kind, page.category, page.product), len(url))
        return (
            (line.instant - EPOCH) // MICROSECOND,
            row,
            KINDS.index(page.kind),
            fields.addresses.add(line.address, len(line.address)),
            number,
            *(getattr(page, name) or 0 for name in NUMBERS),
            line.status,
            -1 if line.body_bytes is None else line.body_bytes,
            fields.methods.add(line.method, len(line.method)),
            add_some(fields.referrers, line.referrer),
            add_some(fields.agents, line.agent),
        )

    def _other_page(self, url: str) -> int:
        return self._pages.add(PageName(url, "other"), len(url))

    def _page_name(self, raw: bytes) -> PageName | None:
        """Return the page of a URL; None if it is bad, or has numbers, for which there is no name."""
        url = raw.decode("ascii")
        if not url.startswith(URL_BEGINS) or not EXACT_URL.fullmatch(url):
            return None
        try:
            url = check_url(url, default_host=DEFAULT_HOST)
            page = parse_page(url, self._rules)
        except BadLine:
            return None
        return PageName(url, page.kind, page.category, page.product) if page.cart_id is None else None


def add_some(table: NameTable[str], name: str | None) -> int:
    return -1 if name is None else table.add(name, len(name))
