"""Reads the fields of many lines of a layout at once, from left to right.

    203.0.113.9 - anna [01/Aug/2018:00:01:35 +0200] "GET /fish/?page=2 HTTP/1.1" 200 2326 "referer" "agent"
    └ address ┘          └ 26 bytes               ┘  └ ends with a quote       ┘

Each step finds where a field ends, and passes the text behind it. It leaves out the lines in which that does
not stand there, for the grammar. `at` is where the next field begins.
"""

import re
from typing import NamedTuple

import numpy as np

from service.logs.assembly import Columns
from service.logs.chunk_text import ChunkText, Mask, Places
from service.logs.field_values import (
    SPACE,
    STATUS_BYTES,
    TIMES,
    are_numbers,
    keep,
    optional_texts,
    read_value,
    size_lengths,
)
from service.logs.known_texts import MAX_BYTES, UNKNOWN
from service.logs.line_layout import QUOTE, Field, Layout
from service.logs.nginx_variables import Role
from service.logs.shop_format import MAX_LINE_BYTES
from service.logs.standard_tables import StandardTables

BACKSLASH, COMMA, COLON = b"\\,:"
SHORTEST_STAMP = 14  # bytes of a time that tells where a line begins
MAX_LISTED = 8  # addresses; a line with more is for the grammar
LENGTHS = {role: length for role, (_, length) in TIMES.items()} | {"status": STATUS_BYTES}
# Fields that are read from parts, such as $uri$is_args$args, are for the grammar.
COLUMN_ROLES: frozenset[Role] = frozenset(
    ("address", "user", *TIMES, "request", "method", "url", "status", "body_bytes", "referrer", "agent")
)
END_ROLES: frozenset[Role] = frozenset((*TIMES, "status", "body_bytes", "other"))


def reads_columns(layout: Layout) -> bool:
    """Return whether the lines of a layout can be read in columns."""
    is_simple = all(item.role in COLUMN_ROLES or not item.is_read for item in layout.fields)
    last = layout.fields[-1]
    is_simple &= all(item.text for item in layout.fields[:-1])
    return is_simple and (bool(last.text) or last.role in END_ROLES)


class Step(NamedTuple):
    """A field, and whether it stands in quotes."""

    item: Field
    is_quoted: bool


class StandardFields:
    """Reads the fields of one layout into the numbers of tables."""

    def __init__(self, layout: Layout, tables: StandardTables, *, have_escapes: bool = True) -> None:
        """`have_escapes`: lines may have backslashes, behind which a quote is a part of a field."""
        self._layout = layout
        self._tables = tables
        before = (layout.begin, *(item.text for item in layout.fields))
        self._steps = [
            Step(item, text.endswith(QUOTE) and item.text.startswith(QUOTE))
            for item, text in zip(layout.fields, before, strict=False)
        ]
        # Where no field can hold a quote, the place of each is known from that of the line's first one.
        is_strict = all(step.is_quoted or step.item.is_number for step in self._steps)
        self._counts_quotes = is_strict and not have_escapes

    def read(self, text: ChunkText, rows: Places) -> Columns:
        """Read those of the lines that are written as most are: their rows, and what their fields say.

        `url_at` and `url_end` are the places of their URLs.
        """
        lengths = text.ends[rows] - text.starts[rows]
        rows = rows[text.plain_lines[rows] & (lengths > 0) & (lengths < MAX_LINE_BYTES)]
        columns = {"row": rows, "at": text.starts[rows], "end": text.ends[rows]}
        if self._counts_quotes:
            columns["quote"] = np.searchsorted(text.quotes, columns["at"])
        columns = pass_text(text, columns | {"field": columns["at"]}, columns["at"], self._layout.begin)
        for step in self._steps:
            ends = self._find_end(text, columns, step)
            columns = pass_text(text, columns | {"field": columns["at"]}, ends, step.item.text)
            if step.item.is_number:
                columns = keep(columns, are_numbers(text, columns["field"], columns["field_end"]))
            if step.item.is_read:
                span = columns["field"], columns["field_end"]
                columns = read_value(step.item.role, text, columns, span, self._tables)
        if self._layout.has_tail:
            return self._read_tail(text, columns)
        columns = keep(columns, columns["at"] == columns["end"])
        return (
            columns if self._layout.stamp is None else self._leave_doubles(self._layout.stamp, text, columns)
        )

    @staticmethod
    def _leave_doubles(stamp: re.Pattern[str], text: ChunkText, columns: Columns) -> Columns:
        """Leave out the lines in whose last field another one begins."""
        rows = np.flatnonzero(columns["field_end"] - columns["field"] >= SHORTEST_STAMP)
        is_good = np.ones(len(columns["field"]), np.bool_)
        ends = text.slices(columns["field"][rows], columns["field_end"][rows])
        is_good[rows] = [stamp.search(end.decode("ascii")) is None for end in ends]
        return keep(columns, is_good)

    def _find_end(self, text: ChunkText, columns: Columns, step: Step) -> Places:
        """Return where a field ends; before its start, where its end can't be found in this way."""
        at, item = columns["at"], step.item
        if item.role in LENGTHS:
            return at + LENGTHS[item.role]
        if item.role == "body_bytes":
            return at + size_lengths(text, at)
        if not item.text:
            return columns["end"]
        if step.is_quoted:
            return text.quotes[columns["quote"]] if self._counts_quotes else quote_ends(text, at)
        if item.text[0] == " " and item.role in {"address", "list"}:
            return list_ends(text, at, is_list=item.role == "list")
        # The user of ` [`: the bracket tells its end, whatever spaces it has.
        mark = len(item.text) - len(item.text.lstrip()) if item.role == "user" and item.text.strip() else 0
        distances = text.find(ord(item.text[mark]), at, MAX_BYTES)
        return np.where(distances < 0, -1, at + distances - mark)

    def _read_tail(self, text: ChunkText, columns: Columns) -> Columns:
        """Read the referrer and the agent of those lines that do not end before them."""
        at, end = columns["at"], columns["end"]
        none = np.full(len(at), -1, np.int64)
        columns |= {"referrer": none, "agent": none.copy()}
        is_whole = at == end
        others = np.flatnonzero(~is_whole & (text.bytes_at(at + 1) != ord(QUOTE)))
        is_whole[others] = has_good_tail(text, at[others], end[others])
        rows = np.flatnonzero(~is_whole)
        if not len(rows):
            return columns
        referrer_at, is_good = at[rows] + 2, text.holds(at[rows], b' "')
        quotes = text.quotes
        place = np.searchsorted(quotes, referrer_at)
        referrer_end, agent_end = quotes[place], quotes[place + 2]
        agent_at = referrer_end + len(b'" "')
        is_good &= text.holds(referrer_end, b'" "') & (agent_end < end[rows])
        is_good &= has_good_tail(text, agent_end + 1, end[rows])
        rows, referrer_at, referrer_end = rows[is_good], referrer_at[is_good], referrer_end[is_good]
        tables = self._tables
        columns["referrer"][rows] = optional_texts(tables.referrers, text, referrer_at, referrer_end)
        columns["agent"][rows] = optional_texts(tables.agents, text, agent_at[is_good], agent_end[is_good])
        is_whole[rows] = True
        return keep(columns, is_whole & (columns["referrer"] != UNKNOWN) & (columns["agent"] != UNKNOWN))


def pass_text(text: ChunkText, columns: Columns, ends: Places, behind: str) -> Columns:
    """Keep the lines in which the text stands behind the field, and go on behind it."""
    raw = behind.encode()
    at = ends + len(raw)
    is_good = (ends >= columns["at"]) & (at <= columns["end"])
    columns = columns | {"field_end": ends, "at": at}
    if "quote" in columns:
        columns["quote"] = columns["quote"] + behind.count(QUOTE)
    columns = keep(columns, is_good)
    if raw:
        columns = keep(columns, text.holds(columns["field_end"], raw))
    return columns


def quote_ends(text: ChunkText, at: Places) -> Places:
    """Return the first quotes; -1 where a backslash stands before one, which may be part of the field."""
    quotes = text.quotes
    ends = quotes[np.searchsorted(quotes, at)]
    return np.where((ends > at) & (text.bytes_at(ends - 1) == BACKSLASH), -1, ends)


def list_ends(text: ChunkText, at: Places, *, is_list: bool) -> Places:
    """Return where lists end whose parts have commas and spaces between them; -1 where that is not clear."""
    distances = text.find(SPACE, at, MAX_BYTES)
    ends = np.where(distances < 0, -1, at + distances)
    if is_list:
        is_part = (text.bytes_at(ends - 1) == COMMA) | (text.bytes_at(ends + 1) == COLON)
        return np.where(is_part, -1, ends)
    for _ in range(MAX_LISTED):
        rows = np.flatnonzero((ends > at) & (text.bytes_at(ends - 1) == COMMA))
        if not len(rows):
            return ends
        more = text.find(SPACE, ends[rows] + 1, MAX_BYTES)
        more[more == 0] = -1  # of several spaces, only the grammar knows that they are one gap
        ends[rows] = np.where(more < 0, -1, ends[rows] + 1 + more)
    ends[rows] = -1
    return ends


def has_good_tail(text: ChunkText, starts: Places, ends: Places) -> Mask:
    """Return which tails are empty, or begin with a space and surely hold no other request."""
    is_empty: Mask = starts == ends
    if is_empty.all():
        return is_empty
    stamps = text.stamp_ends
    has_stamp = np.searchsorted(stamps, starts) != np.searchsorted(stamps, ends)
    is_good: Mask = is_empty | ((text.bytes_at(starts) == SPACE) & ~has_stamp)
    return is_good
