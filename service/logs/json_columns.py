"""Reads many JSON lines at once: what they repeat is parsed once, and times by arithmetic.

What can't be read is left out, for the grammar (json_format), which says why.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from calendar_days import microseconds
from service.logs import standard_heads as heads
from service.logs.assembly import Columns, take
from service.logs.chunk_text import ChunkText, Mask, Places
from service.logs.client_address import parse_client_address
from service.logs.json_format import JsonFormat, decode_object, number_text, read_answer, whole, with_query
from service.logs.json_shape import Shape, Values, has_shape, infer_shape
from service.logs.known_texts import UNKNOWN
from service.logs.line_columns import KINDS, NUMBERS, TEMPLATE_PAGE, PageName, is_template
from service.logs.shop_format import LATEST_AHEAD, MAX_LINE_BYTES, BadLine
from service.logs.standard_line import (
    decode_line,
    optional,
    parse_any_time,
    parse_body_bytes,
)
from service.logs.standard_tables import StandardTables, add_some
from service.logs.url_rules import Rules

MILLION = 1_000_000
# From 2004 on; a float of so many seconds has 22 bits behind the point, so that arithmetic on them is exact.
SOME_SECONDS, MANY_SECONDS = 2.0**30, 2.0**33
BLOCK = 1024  # lines that are read at once
SAMPLES = 50  # lines from which a shape is inferred
MOST_OTHERS = 8  # the shape is inferred again when one of so many lines is not read
MAX_MEMO = 32_768  # answers, or texts, that are remembered
TIME_READERS = {
    heads.LOCAL_TIME_BYTES: heads.read_local_times,
    heads.ISO_TIME_BYTES: heads.read_iso_times,
}
Row = tuple[int, ...]
NO_ANSWER: Row = (0, UNKNOWN, 0, 0, 0, 0, -1, -1)
Answer = tuple[str | int | float | None, ...]
Key = TypeVar("Key")


class Memo(dict[Key, int]):
    """Numbers by what they stand for, each made once; UNKNOWN for what is bad."""

    def __init__(self, make: Callable[[Key], int]) -> None:
        self._make = make

    def __missing__(self, key: Key) -> int:
        try:
            number = self._make(key)
        except BadLine:
            number = UNKNOWN
        self[key] = number
        return number

    def numbers(self, keys: list[Key]) -> Places:
        return np.fromiter(map(self.__getitem__, keys), np.int64, len(keys))


class JsonReader:
    """Reads the lines of a log into columns, chunk by chunk."""

    def __init__(self, grammar: JsonFormat, tables: StandardTables, rules: Rules | None) -> None:
        self._grammar = grammar
        self._tables = tables
        self._rules = rules
        self._has_shape = has_shape(grammar.paths)
        self._shape: Shape | None = None
        self._answers: list[Row] = []
        self._answer_numbers = Memo[Answer](self._add_answer)
        self._addresses = Memo[Any](self._add_address)
        self._referrers = Memo[Any](lambda value: add_some(tables.referrers, optional(text_of(value))))
        self._agents = Memo[Any](lambda value: add_some(tables.agents, optional(text_of(value))))

    def clear(self) -> None:
        """Clear the numbers of names: the tables have cleared theirs."""
        for memo in (self._answer_numbers, self._addresses, self._referrers, self._agents):
            memo.clear()
        self._answers.clear()

    def read(self, text: ChunkText, rows: Places, now: datetime) -> Columns:
        """Return the columns of the lines that are written as most are; `position` is their index."""
        if any(len(memo) > MAX_MEMO for memo in (self._answer_numbers, self._addresses, self._referrers)):
            self.clear()
        rows = rows[self._are_texts(text, rows)] if self._has_shape else rows[:0]
        parts = [
            self._read_block(text, rows[start : start + BLOCK], now)
            for start in range(0, max(1, len(rows)), BLOCK)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _read_block(self, text: ChunkText, rows: Places, now: datetime) -> Columns:
        """Read some of the lines: what belongs to them stays in the processor's cache."""
        lines = text.slices(text.starts[rows], text.ends[rows])
        if self._shape is None:
            self._shape = infer_shape(sample_objects(lines), self._grammar.paths)
        columns, is_good = self._columns(lines, self._shape, now)
        if np.count_nonzero(is_good) * MOST_OTHERS < len(rows) * (MOST_OTHERS - 1):
            self._shape = None
        return take(columns | {"position": rows}, np.flatnonzero(is_good))

    def _are_texts(self, text: ChunkText, rows: Places) -> Mask:
        """Return which lines are UTF-8 without carriage returns, and no longer than lines may be."""
        starts, ends = text.starts[rows], text.ends[rows]
        is_text: Mask = text.plain_lines[rows].copy()
        for place in np.flatnonzero(~is_text).tolist():
            try:
                decode_line(text.data[starts[place] : ends[place]])
            except BadLine:
                continue
            is_text[place] = True
        return is_text & (ends - starts < MAX_LINE_BYTES)

    def _columns(self, lines: list[bytes], shape: Shape, now: datetime) -> tuple[Columns, Mask]:
        """Return what lines say, and which of them do so in a way that is read here."""
        time, address, method, url, query, status, size, referrer, agent = values = shape.decode(lines)
        is_good = np.ones(len(lines), np.bool_)
        for column, is_whole in zip(values, shape.is_whole, strict=True):
            if not is_whole and None in column:  # another path may have it
                is_good &= [value is not None for value in column]
        numbers = self._answer_numbers.numbers(list(zip(url, query, method, status, strict=True)))
        distinct, places = np.unique(numbers, return_inverse=True)
        answers = np.array([self._answers[number] for number in distinct.tolist()] or [NO_ANSWER], np.int64)
        kind, page, *others = answers.T
        columns = {
            "occurred": self._times(time, now),
            "kind": kind[places],
            "address": self._addresses.numbers(address),
            "page": page[places],
            **{name: column[places] for name, column in zip(NUMBERS, others, strict=False)},
            "status": others[-2][places],
            "body_bytes": sizes_of(size),
            "method": others[-1][places],
            "referrer": self._referrers.numbers(referrer),
            "agent": self._agents.numbers(agent),
        }
        for name in ("address", "page", "body_bytes"):
            is_good &= columns[name] != UNKNOWN
        return columns, is_good & (columns["occurred"] >= 0)

    def _times(self, values: Values, now: datetime) -> Places:
        """Return instants in microseconds since 1970; UNKNOWN for those that the grammar has to read."""
        zone = self._grammar.zone
        others = Memo[Any](lambda value: microseconds(parse_any_time(text_of(value) or "", zone, now)))
        times, is_known = quick_times(values)
        is_known &= times <= microseconds(now + LATEST_AHEAD)
        rows = np.flatnonzero(~is_known)
        times[rows] = others.numbers([values[row] for row in rows.tolist()])
        return times

    def _add_address(self, value: str | float | None) -> int:
        address = parse_client_address(text_of(value) or "")
        return self._tables.addresses.add(address, len(address))

    def _add_answer(self, key: Answer) -> int:
        """Return the number of kind, page and numbers of a URL, and of its status and method."""
        try:
            row = self._read_answer(*map(text_of, key))
        except BadLine:
            row = NO_ANSWER
        self._answers.append(row)
        return len(self._answers) - 1

    def _read_answer(
        self, url: str | None, query: str | None, method: str | None, status_text: str | None
    ) -> Row:
        url = with_query(url or "", query)
        method, status, url, page = read_answer(url, method, status_text, self._rules)
        number = TEMPLATE_PAGE
        if not is_template(url, page, ""):
            name = PageName(url, page.kind, page.category, page.product)
            number = self._tables.pages.add(name, len(url))
        numbers = (getattr(page, name) or 0 for name in NUMBERS)
        answer = (-1 if status is None else status, add_some(self._tables.methods, method))
        return (KINDS.index(page.kind), number, *numbers, *answer)


def sample_objects(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects among the first SAMPLES lines."""
    for line in islice(lines, SAMPLES):
        try:
            yield decode_object(line.decode())
        except BadLine:
            continue


def text_of(value: str | float | None) -> str | None:
    return value if value is None or isinstance(value, str) else number_text(value)


def quick_times(values: Values) -> tuple[Places, Mask]:
    """Return the instants of times that are all written in one of some ways, and which these are."""
    none = np.full(len(values), UNKNOWN, np.int64), np.zeros(len(values), np.bool_)
    kinds = set(map(type, values))
    if kinds == {float}:
        seconds = np.array(values, np.float64)
        is_known = (seconds >= SOME_SECONDS) & (seconds < MANY_SECONDS)
        floor = np.floor(np.where(is_known, seconds, 0))
        parts = np.rint((np.where(is_known, seconds, 0) - floor) * MILLION)
        return floor.astype(np.int64) * MILLION + parts.astype(np.int64), is_known
    if kinds != {str}:
        return none
    lengths = set(map(len, values))
    read = TIME_READERS.get(min(lengths))
    if read is None or len(lengths) > 1 or not (joined := "".join(values)).isascii():
        return none
    places = np.arange(len(values)) * min(lengths)
    return read(ChunkText(joined.encode()), places)


def sizes_of(values: Values) -> Places:
    """Return sizes in bytes; -1 for none, UNKNOWN for those that are too large."""
    if set(map(type, values)) == {int}:
        try:
            return np.maximum(np.array(values, np.int64), -1)
        except OverflowError:
            pass
    return Memo[Any](read_size).numbers(values)


def read_size(value: str | float | None) -> int:
    size = parse_body_bytes(whole(text_of(value)))
    return -1 if size is None else size
