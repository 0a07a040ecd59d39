"""Parses a chunk of any format but the shop's: in columns, and line by line what is not written as most are.

Both give what the grammar of the format gives: property tests compare them on any bytes.
"""

import re
from dataclasses import replace
from datetime import datetime

import numpy as np

from calendar_days import microseconds
from service.logs.assembly import Columns, Tables, assemble, merge_columns, merge_rows, take
from service.logs.chunk_text import ChunkText, Mask, Places
from service.logs.chunks import Chunk
from service.logs.container_text import plain_lines
from service.logs.json_columns import JsonReader
from service.logs.json_format import JsonFormat
from service.logs.json_layouts import LAYOUT_LIMITS, FieldReader, JsonLayouts, LayoutLimits, without
from service.logs.known_texts import UNKNOWN
from service.logs.line_columns import (
    KINDS,
    NUMBERS,
    REQUEST_COLUMNS,
    TEMPLATE_PAGE,
    LineColumns,
    PageName,
    is_template,
)
from service.logs.line_keys import DigestKeys
from service.logs.line_layout import Layout
from service.logs.name_table import NameTable
from service.logs.rejects import RejectedLine, is_blank, make_reject
from service.logs.requests import URL, parse_page, read_url
from service.logs.shop_format import LATEST_AHEAD, BadLine
from service.logs.standard_fields import StandardFields, reads_columns
from service.logs.standard_format import LineGrammar, StandardFormat
from service.logs.standard_line import StandardLine
from service.logs.standard_tables import StandardTables, add_some
from service.logs.template_urls import read_templates
from service.logs.url_rules import Rules
from service.logs.views import FIRST_SUCCESS, LAST_SUCCESS, NOT_MODIFIED, VIEW_METHODS
from service.logs.w3c_fields import W3cFields, join_query

COLUMNS = ("occurred", "position", "kind", "address", "page", *NUMBERS, *REQUEST_COLUMNS)
EXACT_URL = re.compile(r'(?:[^"\\]|\\x[0-9A-Fa-f]{2})+')  # no other escape may hide a quote


class StandardParser:
    """Parses the chunks of a log, in their order. Keeps names from one chunk to the next."""

    def __init__(
        self, log_format: StandardFormat, rules: Rules | None, *, limits: LayoutLimits = LAYOUT_LIMITS
    ) -> None:
        self._format = log_format
        self._rules = rules if rules is not None and rules.rules else None
        self._is_w3c = log_format.name == "w3c"
        self._pages = NameTable[PageName](lambda urls: [self._page_name(url) for url in urls])
        self._tables = StandardTables(self._pages, is_w3c=self._is_w3c)
        self._readers: dict[LineGrammar, FieldReader | None] = {}
        self._json: JsonReader | None = None
        if isinstance(log_format, JsonFormat):
            self._json = JsonReader(log_format, self._tables, self._rules)
            self._layouts = JsonLayouts(log_format.paths, self._tables, limits)
        self._keys = DigestKeys()

    def parse(self, chunk: Chunk, *, now: datetime) -> LineColumns:
        """Parse every line of the chunk: into a visit, a duplicate within the chunk, or a reject."""
        if self._tables.trim() and self._json is not None:
            self._json.clear()
        data = self._plain(chunk.data)
        text = ChunkText(data)
        source = text if data == chunk.data else ChunkText(chunk.data)
        parts, rejects = list[Columns](), list[RejectedLine]()
        for section in self._format.sections(text):
            columns, reasons = self._parse_section(section, text, now)
            parts.append(columns)
            rejects += self._rejects(reasons, source, chunk)
        columns = merge_columns(parts, COLUMNS)
        if (np.diff(columns["position"]) < 0).any():
            columns = take(columns, np.argsort(columns["position"]))
        rows = columns["position"]
        lines = text.slices(text.starts[rows], text.ends[rows])
        columns["key"] = self._keys.keys(
            replace(chunk, before=self._plain(chunk.before)), lines, columns["occurred"]
        )
        columns["position"] = rows + chunk.line
        own = self._tables
        tables = Tables(own.addresses, self._pages, own.methods, own.referrers, own.agents)
        return assemble(columns, tables, host="", rejects=rejects, log_format=self._format.name)

    def _plain(self, data: bytes) -> bytes:
        return plain_lines(data, self._format.prefix)

    def _rejects(self, reasons: dict[int, str], source: ChunkText, chunk: Chunk) -> list[RejectedLine]:
        """Return the rejects of lines, as they stand in the log."""
        rows = np.array(list(reasons), np.int64)
        return [
            make_reject(
                raw,
                chunk.line + row,
                chunk.offset + int(source.starts[row]),
                reasons[row],
                log_format=self._format.name,
            )
            for row, raw in zip(reasons, source.lines(rows), strict=True)
        ]

    def _parse_section(
        self, section: tuple[LineGrammar, Places], text: ChunkText, now: datetime
    ) -> tuple[Columns, dict[int, str]]:
        """Return the columns of some lines, in their order, and why others are rejects.

        `position` is the index of a line in the chunk.
        """
        grammar, rows = section
        if self._json is None:
            columns = self._parse_common(self._reader(grammar), rows, text, now)
        else:
            columns = self._parse_json(self._json, rows, text, now)
        is_other = np.zeros(len(text.starts), np.bool_)
        is_other[rows] = text.ends[rows] > text.starts[rows]
        is_other[columns["position"]] = False
        others = np.flatnonzero(is_other)
        visits, reasons = list[tuple[int, ...]](), dict[int, str]()
        for row, raw in zip(others.tolist(), text.lines(others), strict=True):
            if is_blank(raw):
                continue
            try:
                visits.append(self._visit(grammar.parse(raw, self._rules, now), row))
            except BadLine as error:
                reasons[row] = str(error)
        columns = merge_rows(columns, visits)
        return (take(columns, np.argsort(columns["position"])) if visits else columns), reasons

    def _parse_json(self, reader: JsonReader, rows: Places, text: ChunkText, now: datetime) -> Columns:
        """Return the columns of the lines that have a layout, or that a parser of JSON reads."""

        def parse(read: FieldReader, rows: Places) -> Columns:
            return self._parse_common(read, rows, text, now)

        parts = self._layouts.read(text, rows, parse)
        rest = without(rows, np.concatenate([part["position"] for part in parts])) if parts else rows
        if len(rest):
            columns = reader.read(text, rest, now)
            parts.append({name: columns[name] for name in COLUMNS})
        return merge_columns(parts, COLUMNS)

    def _parse_common(
        self, read: FieldReader | None, rows: Places, text: ChunkText, now: datetime
    ) -> Columns:
        """Return the columns of the lines that are written as most are; `position` is their index."""
        if read is None:
            return {name: np.zeros(0, np.int64) for name in COLUMNS}
        fields = read(text, rows)
        occurred = fields["occurred"]
        is_good = (occurred >= 0) & (occurred <= microseconds(now + LATEST_AHEAD))
        fields = take(fields, np.flatnonzero(is_good))
        columns = {name: np.zeros(len(fields["row"]), np.int64) for name in COLUMNS}
        columns |= {name: np.full(len(fields["row"]), -1, np.int64) for name in REQUEST_COLUMNS}
        columns |= {
            name: fields[name] for name in ("occurred", "address", *REQUEST_COLUMNS) if name in fields
        }
        columns["position"] = fields["row"]
        self._read_urls(text, fields["url_at"], fields["url_end"], columns)
        is_view = self._are_views(columns, tells_method="method" in fields, tells_status="status" in fields)
        self._set_other_pages(text, fields["url_at"], fields["url_end"], columns, ~is_view)
        columns["status"][columns["status"] == 0] = -1  # no answer was sent
        return take(columns, np.flatnonzero(columns["page"] != UNKNOWN))

    def _reader(self, grammar: LineGrammar) -> FieldReader | None:
        """Return what reads the lines of a grammar in columns; None if nothing does."""
        if not isinstance(grammar, Layout):
            return None
        if grammar not in self._readers:
            self._readers[grammar] = self._make_reader(grammar)
        return self._readers[grammar]

    def _make_reader(self, layout: Layout) -> FieldReader | None:
        if layout.is_w3c:
            w3c = W3cFields(layout, self._tables)
            return w3c.read if w3c.reads_columns else None
        return StandardFields(layout, self._tables).read if reads_columns(layout) else None

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
        columns["page"][rows] = self._pages.get(text, starts[rows], ends[rows])

    def _set_other_pages(
        self, text: ChunkText, starts: Places, ends: Places, columns: Columns, is_other: Mask
    ) -> None:
        """Make the pages of requests that are not views `other`, without numbers."""
        pages = columns["page"]
        rows = np.flatnonzero(is_other & (pages >= 0))
        distinct, places = np.unique(pages[rows], return_inverse=True)
        urls = [self._pages.name(number).url for number in distinct.tolist()]
        pages[rows] = np.array([self._other_page(url) for url in urls], np.int64)[places]
        rows = np.flatnonzero(is_other & (pages == TEMPLATE_PAGE))
        pages[rows] = [self._other_page(url.decode()) for url in text.slices(starts[rows], ends[rows])]
        for name in NUMBERS:
            columns[name][rows] = 0

    def _are_views(self, columns: Columns, *, tells_method: bool, tells_status: bool) -> Mask:
        """Return what `is_view` returns of each request."""
        has_method, status = columns["method"] >= 0, columns["status"]
        is_shown = np.full(len(status), not tells_method)
        methods, places = self._tables.methods.compact(columns["method"][has_method])
        is_shown[has_method] = np.array([method in VIEW_METHODS for method in methods], np.bool_)[places]
        if tells_status:
            is_shown &= (status >= FIRST_SUCCESS) & (status <= LAST_SUCCESS) | (status == NOT_MODIFIED)
        return is_shown

    def _visit(self, line: StandardLine, row: int) -> tuple[int, ...]:
        """Return the values of COLUMNS of a line."""
        page, url, tables = line.page, line.url, self._tables
        number = TEMPLATE_PAGE
        if not is_template(url, page, ""):
            number = self._pages.add(PageName(url, page.kind, page.category, page.product), len(url))
        return (
            microseconds(line.instant),
            row,
            KINDS.index(page.kind),
            tables.addresses.add(line.address, len(line.address)),
            number,
            *(getattr(page, name) or 0 for name in NUMBERS),
            -1 if line.status is None else line.status,
            -1 if line.body_bytes is None else line.body_bytes,
            *(
                add_some(table, name)
                for table, name in (
                    (tables.methods, line.method),
                    (tables.referrers, line.referrer),
                    (tables.agents, line.agent),
                )
            ),
        )

    def _other_page(self, url: str) -> int:
        return self._pages.add(PageName(url, "other"), len(url))

    def _page_name(self, raw: bytes) -> PageName | None:
        """Return the page of a URL; None if it is bad, or has numbers, for which there is no name."""
        url = raw.decode("ascii")
        if self._is_w3c:
            url = join_query(url)
        is_exact = '"' not in url and ("\\" not in url or EXACT_URL.fullmatch(url))
        if URL.match(url) is None or not is_exact:
            return None
        try:
            url = read_url(url)
            page = parse_page(url, self._rules)
        except BadLine:
            return None
        return PageName(url, page.kind, page.category, page.product) if page.cart_id is None else None
