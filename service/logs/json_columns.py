"""Reads many JSON lines: each text that they repeat is parsed once in a chunk.

What can't be read is left out, for the grammar (json_format), which says why.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from service.logs.client_address import parse_client_address
from service.logs.json_format import JsonFormat, decode_object, read_answer, whole
from service.logs.line_columns import EPOCH, KINDS, NUMBERS, TEMPLATE_PAGE, PageName, is_template
from service.logs.shop_format import BadLine
from service.logs.standard_line import decode_line, optional, parse_any_time, parse_body_bytes
from service.logs.standard_tables import StandardTables, add_some
from service.logs.url_rules import Rules

MICROSECOND = timedelta(microseconds=1)
Row = tuple[int, ...]
Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(dict[Key, Value]):
    """Values by what they are made of, each made once."""

    def __init__(self, make: Callable[[Key], Value]) -> None:
        self._make = make

    def __missing__(self, key: Key) -> Value:
        value = self[key] = self._make(key)
        return value


class JsonReader:
    """Reads the lines of one chunk into rows of the columns of StandardParser."""

    def __init__(
        self, grammar: JsonFormat, tables: StandardTables, rules: Rules | None, now: datetime
    ) -> None:
        self._grammar = grammar
        self._tables = tables
        self._rules = rules
        zone = grammar.zone
        self._times = Memo[str, int](lambda text: (parse_any_time(text, zone, now) - EPOCH) // MICROSECOND)
        self._addresses = Memo[str, int](self._add_address)
        self._answers = Memo[tuple[str, str | None, str | None], tuple[Row, Row]](self._read_answer)
        self._sizes = Memo[str | None, int](read_size)
        self._referrers = Memo[str | None, int](lambda text: add_some(tables.referrers, optional(text)))
        self._agents = Memo[str | None, int](lambda text: add_some(tables.agents, optional(text)))

    def read(self, raw: bytes, row: int) -> Row | None:
        """Return the row of a line; None if it is for the grammar."""
        try:
            record: dict[str, Any] = decode_object(decode_line(raw))
            time, address, method, url, status, size, referrer, agent = self._grammar.find_all(record)
            if time is None or address is None or url is None:
                return None
            answer, request = self._answers[url, method, status]
            return (
                self._times[time],
                row,
                answer[0],
                self._addresses[address],
                *answer[1:],
                request[0],
                self._sizes[size],
                request[1],
                self._referrers[referrer],
                self._agents[agent],
            )
        except BadLine:
            return None

    def _add_address(self, text: str) -> int:
        address = parse_client_address(text)
        return self._tables.addresses.add(address, len(address))

    def _read_answer(self, key: tuple[str, str | None, str | None]) -> tuple[Row, Row]:
        """Return kind, page and numbers of a URL, and its status and method."""
        method, status, url, page = read_answer(*key, self._rules)
        number = TEMPLATE_PAGE
        if not is_template(url, page, ""):
            name = PageName(url, page.kind, page.category, page.product)
            number = self._tables.pages.add(name, len(url))
        numbers = (getattr(page, name) or 0 for name in NUMBERS)
        answer = (KINDS.index(page.kind), number, *numbers)
        return answer, (-1 if status is None else status, add_some(self._tables.methods, method))


def read_size(text: str | None) -> int:
    size = parse_body_bytes(whole(text))
    return -1 if size is None else size
