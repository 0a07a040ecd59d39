"""Reads JSON lines in columns by the layouts of a log: some programs write all their lines in one or a few.

Others write the fields of an object in any order, or as many headers as a request has: those lines are left
to json_columns, and no more layouts are inferred after some in vain.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from service.logs.assembly import Columns
from service.logs.chunk_text import ChunkText, Mask, Places
from service.logs.field_values import keep
from service.logs.json_format import Paths
from service.logs.json_layout import infer_layout
from service.logs.requests import URL
from service.logs.standard_fields import StandardFields
from service.logs.standard_tables import StandardTables

BACKSLASH = ord("\\")
STRIDE = 7  # between the lines that are tried, in shares of the chunk
FieldReader = Callable[[ChunkText, Places], Columns]
Parse = Callable[[FieldReader, Places], Columns]  # of some lines; `position` says of which it could


@dataclass(frozen=True, slots=True)
class LayoutLimits:
    """When layouts are inferred and kept.

    :param lines: of a chunk at least, before a layout is inferred from it
    :param layouts: that are kept
    :param trials: of layouts in the life of a parser
    :param share: a layout is inferred if one of so many lines has none, and dropped if fewer have it
    """

    lines: int = 64
    layouts: int = 4
    trials: int = 16
    share: int = 16


LAYOUT_LIMITS = LayoutLimits()


class JsonLayouts:
    """The layouts of a log's lines, kept from chunk to chunk."""

    def __init__(self, paths: Sequence[Paths], tables: StandardTables, limits: LayoutLimits) -> None:
        self._paths = paths
        self._tables = tables
        self._limits = limits
        self._readers: list[FieldReader] = []
        self._trials = 0

    def read(self, text: ChunkText, rows: Places, parse: Parse) -> list[Columns]:
        """Return the columns of those of the lines that have one of the layouts."""
        rows = rows[are_plain(text)[rows]]
        rest, parts, readers = rows, list[Columns](), list[FieldReader]()
        for read in self._readers if len(rows) else ():
            part = parse(read, rest)
            rest = without(rest, part["position"])
            parts.append(part)
            if len(rows) < self._limits.lines or self._are_many(len(part["position"]), rows):
                readers.append(read)
        while self._may_infer(rest, rows, readers):
            reader = self._infer(text, rest)
            if reader is None:
                continue
            part = parse(reader, rest)
            rest = without(rest, part["position"])
            parts.append(part)
            if self._are_many(len(part["position"]), rows):
                readers.append(reader)
        self._readers = readers
        return parts

    def _may_infer(self, rest: Places, rows: Places, readers: Sequence[FieldReader]) -> bool:
        limits = self._limits
        has_room = self._trials < limits.trials and len(readers) < limits.layouts
        return has_room and len(rows) >= limits.lines and self._are_many(len(rest), rows)

    def _are_many(self, count: int, rows: Places) -> bool:
        return count * self._limits.share > len(rows)

    def _infer(self, text: ChunkText, rows: Places) -> FieldReader | None:
        """Return what reads lines that are written as one of these is; None if nothing does."""
        place = (
            len(rows) * (2 * (self._trials * STRIDE % self._limits.trials) + 1) // (2 * self._limits.trials)
        )
        self._trials += 1
        [line] = text.lines(rows[place : place + 1])
        layout = infer_layout(line.decode("ascii").removesuffix("\r"), self._paths)
        if layout is None:
            return None
        fields = StandardFields(layout, self._tables, have_escapes=False)
        is_request = any(item.role == "request" for item in layout.fields)
        return partial(read_requests, fields, self._tables) if is_request else fields.read


def read_requests(fields: StandardFields, tables: StandardTables, text: ChunkText, rows: Places) -> Columns:
    """Read lines whose URL is a whole request, but for those in which it is a URL with spaces."""
    columns = fields.read(text, rows)
    methods, places = tables.methods.compact(columns["method"])
    is_request = np.array([URL.match(method) is None for method in methods], np.bool_)
    return keep(columns, is_request[places])


def are_plain(text: ChunkText) -> Mask:
    """Return which lines have ASCII alone, and nothing that JSON escapes or refuses."""
    return text.plain_lines & ~text.lines_with(BACKSLASH) & ~text.lines_with_controls()


def without(rows: Places, others: Places) -> Places:
    """Return the rows that are not among others; both are in order."""
    return rows[~np.isin(rows, others, assume_unique=True)]
