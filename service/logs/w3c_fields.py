"""Reads the fields of many lines of a W3C log at once: the separators tell where each field stands."""

import numpy as np

from service.logs.assembly import Columns
from service.logs.chunk_text import ChunkText, Places
from service.logs.field_values import keep, read_value
from service.logs.line_layout import Layout
from service.logs.shop_format import MAX_LINE_BYTES
from service.logs.standard_tables import StandardTables


class W3cFields:
    """Reads the fields of one layout into the numbers of tables."""

    def __init__(self, layout: Layout, tables: StandardTables) -> None:
        self._tables = tables
        self._separator = layout.fields[0].text
        self._count = len(layout.fields)
        self._read = {item.role: place for place, item in enumerate(layout.fields) if item.is_read}

    @property
    def reads_columns(self) -> bool:
        """Whether the lines can be read in columns: a query stands behind its path."""
        places = self._read
        is_joined = "query" not in places or places["query"] == places.get("path", -2) + 1
        return bool(self._separator) and is_joined

    def read(self, text: ChunkText, rows: Places) -> Columns:
        """Read those of the lines that are written as most are, as StandardFields does.

        The URL of a path and its query are both, with the separator between them.
        """
        lengths = text.ends[rows] - text.starts[rows]
        rows = rows[text.plain_lines[rows] & (lengths < MAX_LINE_BYTES)]
        separators = text.places(ord(self._separator), more=self._count)
        first = np.searchsorted(separators, text.starts[rows])
        is_good = np.searchsorted(separators, text.ends[rows]) - first == self._count - 1
        columns = {"row": rows, "first": first, "begin": text.starts[rows], "end": text.ends[rows]}
        columns = keep(columns, is_good)
        for role, place in self._read.items():
            if role in {"path", "query"}:
                continue
            span = self._span(columns, separators, place, place)
            columns = read_value(role, text, columns, span, self._tables)
        if "path" in self._read:
            last = self._read.get("query", self._read["path"])
            span = self._span(columns, separators, self._read["path"], last)
            columns = read_value("url", text, columns, span, self._tables)
        return columns

    def _span(self, columns: Columns, separators: Places, first: int, last: int) -> tuple[Places, Places]:
        """Return where a field begins, and where that one or another ends."""
        starts = columns["begin"] if first == 0 else separators[columns["first"] + first - 1] + 1
        ends = columns["end"] if last == self._count - 1 else separators[columns["first"] + last]
        return starts, ends


def join_query(url: str) -> str:
    """Return the URL of a path and its query, which is a dash where there is none."""
    path, _, query = url.replace("\t", " ").partition(" ")
    return path if query in {"", "-"} else f"{path}?{query}"
