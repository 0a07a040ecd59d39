"""Narrow forms of columns of parts: the same numbers in fewer bytes, where all of a part allow it.

A column that has such a form is null in its own name. Parts of builds before, and of live visits, have none.
The view `visit` shows both, and readers of arrays get the column as if it stood in its own name.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.columns import Valid, Values, decode

HALF_BITS = 16
CHARACTER_ZERO = np.uint64(0x3030303030303030)  # a key of 8 times the character 0
LETTERS = np.uint64(0xC0C0C0C0C0C0C0C0)  # the bits that no character from 0 to o has then
# Steps that make 8 characters of 8 bits 8 of 6: a mask of what stays, what moves down, and by how much.
STEPS = (
    (np.uint64(0x003F003F003F003F), np.uint64(0x3F003F003F003F00), np.uint64(2)),
    (np.uint64(0x00000FFF00000FFF), np.uint64(0x0FFF00000FFF0000), np.uint64(4)),
    (np.uint64(0x0000000000FFFFFF), np.uint64(0x00FFFFFF00000000), np.uint64(8)),
)
WORD_BITS = np.uint64(32)

Arrays = Mapping[str, bytes | None]  # by name, as `array_send` returns them


@dataclass(frozen=True, slots=True)
class Halves:
    """Numbers of 32 bits as two arrays of 16 bits, which PostgreSQL compresses well.

    The upper halves hardly change from one visit to the next; where all are 0 they are not stored.

    :param unit: what all values are multiples of, or they are not narrowed
    """

    high: str
    low: str
    unit: int = 1

    @property
    def types(self) -> dict[str, str]:
        """The arrays, and their types in PostgreSQL."""
        return {self.high: "int2", self.low: "int2"}

    def narrow(self, values: Values) -> dict[str, Values] | None:
        """Return the arrays of a column; None if some value does not fit."""
        numbers = values if self.unit == 1 else values // self.unit
        if self.unit != 1 and (numbers * self.unit != values).any():
            return None
        high = numbers >> HALF_BITS
        bounds = np.iinfo(np.int16)
        if int(high.min()) < bounds.min or int(high.max()) > bounds.max:
            return None
        arrays: dict[str, Values] = {self.low: (numbers & 0xFFFF).astype(np.uint16).view(np.int16)}
        if high.any():
            arrays[self.high] = high.astype(np.int16)
        return arrays

    def widen(self, arrays: Mapping[str, Values]) -> Values:
        """Return the column that was narrowed to these arrays."""
        numbers = arrays[self.low].view(np.uint16).astype(np.int32)
        if self.high in arrays:
            numbers |= arrays[self.high].astype(np.int32) << HALF_BITS
        return numbers if self.unit == 1 else numbers.astype(np.int64) * self.unit


@dataclass(frozen=True, slots=True)
class Characters:
    """Keys of 8 characters from 0 to o, of which the shop's are, in 6 bits each: 48 bits in two arrays."""

    high: str
    low: str

    @property
    def types(self) -> dict[str, str]:
        """The arrays, and their types in PostgreSQL."""
        return {self.high: "int2", self.low: "int4"}

    def narrow(self, values: Values) -> dict[str, Values] | None:
        """Return the arrays of keys; None if some have other characters, as most digests do."""
        bits: NDArray[np.uint64] = values.view(np.uint64) - CHARACTER_ZERO
        if (bits & LETTERS).any():
            return None
        for stay, move, by in STEPS:
            bits = (bits & stay) | ((bits & move) >> by)
        high = (bits >> WORD_BITS).astype(np.uint16)
        return {self.high: high.view(np.int16), self.low: bits.astype(np.uint32).view(np.int32)}

    def widen(self, arrays: Mapping[str, Values]) -> Values:
        """Return the keys that were narrowed to these arrays."""
        bits = arrays[self.high].view(np.uint16).astype(np.uint64) << WORD_BITS
        bits |= arrays[self.low].view(np.uint32)
        for stay, move, by in reversed(STEPS):
            bits = (bits & stay) | ((bits << by) & move)
        return (bits + CHARACTER_ZERO).view(np.int64)


FORMS: dict[str, Halves | Characters] = {
    "occurred": Halves("second_high", "second_low", 1_000_000),  # seconds since 1970
    "key": Characters("key_high", "key_low"),
    "address_id": Halves("address_high", "address_low"),
    "page_id": Halves("page_high", "page_low"),
}
NARROW_TYPES = {name: type_name for form in FORMS.values() for name, type_name in form.types.items()}


def narrow_columns(columns: Mapping[str, Values]) -> tuple[dict[str, Values], frozenset[str]]:
    """Return the narrow forms of columns, and the columns that need not be stored beside them.

    Keys are narrow where times are: the view makes ids of both or of none.
    """
    forms = {name: form.narrow(columns[name]) for name, form in FORMS.items()}
    if forms["occurred"] is None:
        forms["key"] = None
    narrowed = {name: values for form in forms.values() if form is not None for name, values in form.items()}
    return narrowed, frozenset(name for name, form in forms.items() if form is not None)


def with_forms(names: Iterable[str]) -> list[str]:
    """Return the names of columns, and of the arrays of their narrow forms."""
    return [each for name in names for each in (name, *(FORMS[name].types if name in FORMS else ()))]


def decode_arrays(arrays: Arrays, names: Collection[str]) -> dict[str, tuple[Values, Valid | None] | None]:
    """Decode columns in whatever form they are stored; None for one that is not."""
    return {name: decode_array(arrays, name) for name in names}


def decode_array(arrays: Arrays, name: str) -> tuple[Values, Valid | None] | None:
    """Decode a column as `decode_arrays` does."""
    own, form = arrays[name], FORMS.get(name)
    if own is not None:
        return decode(own)
    if form is None or arrays[form.low] is None:
        return None
    stored = {part: data for part in form.types if (data := arrays[part]) is not None}
    return form.widen({part: decode(data)[0] for part, data in stored.items()}), None
