"""Names that the lines of a log repeat, such as addresses and pages, as numbers."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import numpy as np

from service.logs.chunk_text import ChunkText, Places
from service.logs.known_texts import UNKNOWN, KnownTexts, LongTexts
from service.logs.line_columns import Int32s

Name = TypeVar("Name", bound=Hashable)
MAX_BYTES = 16 * 1024 * 1024  # of a table, about
NAME_BYTES = 200  # that a name takes beside its characters: in a list and a dict, and itself


class NameTable(Generic[Name]):
    """The names that the lines of a log have had so far; only as many are kept as fit."""

    def __init__(self, parse: Callable[[list[bytes]], list[Name | None]], *, are_long: bool = False) -> None:
        """`parse` returns the names that texts of lines stand for; None for a bad one."""
        self._parse = parse
        self._texts = LongTexts(self._number_all) if are_long else KnownTexts(self._number_all)
        self._numbers: dict[Name, int] = {}
        self._names: list[Name] = []
        self._added_bytes = 0

    def trim(self) -> bool:
        """Clear all names if there are too many. Return whether: their numbers are not valid any more."""
        is_full = self._texts.size + self._added_bytes + NAME_BYTES * len(self._names) > MAX_BYTES
        if is_full:
            self._texts.clear()
            self._numbers.clear()
            self._names.clear()
            self._added_bytes = 0
        return is_full

    def get(self, text: ChunkText, starts: Places, ends: Places) -> Places:
        """Return the number of the name at each place; UNKNOWN for bad ones, and for very long ones."""
        return self._texts.get(text, starts, ends)

    def add(self, name: Name, size: int) -> int:
        """Return the number of a name that was not looked up, and whose text has so many bytes."""
        number = self._numbers.setdefault(name, len(self._names))
        if number == len(self._names):
            self._names.append(name)
            self._added_bytes += size
        return number

    def name(self, number: int) -> Name:
        return self._names[number]

    def compact(self, numbers: Places) -> tuple[list[Name], Int32s]:
        """Return the distinct names with these numbers, and for each number its place among them."""
        is_used = np.zeros(len(self._names), np.bool_)
        is_used[numbers] = True
        distinct = np.flatnonzero(is_used)
        places = np.zeros(len(self._names), np.int32)
        places[distinct] = np.arange(len(distinct), dtype=np.int32)
        return [self._names[number] for number in distinct.tolist()], places[numbers]

    def _number_all(self, texts: list[bytes]) -> list[int]:
        numbers = []
        for name in self._parse(texts):
            if name is None:
                numbers.append(UNKNOWN)
                continue
            number = self._numbers.setdefault(name, len(self._names))
            if number == len(self._names):
                self._names.append(name)
            numbers.append(number)
        return numbers
