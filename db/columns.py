"""Encodes numpy arrays as PostgreSQL's binary arrays, and decodes them: the columns of a part of visits.

A binary array is five int4 (dimensions, whether an element is null, the element type's OID, length, lower
bound), then for each element its length and its value, or the length -1 for null. An empty one has no
dimension. `array_send(column)` returns it to a SELECT, and binary COPY takes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

YEAR_2000 = 946_684_800_000_000  # PostgreSQL's epoch, in microseconds of Unix time
COPY_HEADER, COPY_TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"  # of binary COPY
TEXT_OID = 25

Values = NDArray[np.integer]
Valid = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ElementType:
    """A type of elements: its OID, its values on the wire, and those in memory."""

    oid: int
    wire: np.dtype[Any]
    memory: np.dtype[Any]
    epoch: int = 0  # what 0 on the wire stands for in memory


TYPES = {
    '"char"': ElementType(18, np.dtype("u1"), np.dtype("u1")),
    "int2": ElementType(21, np.dtype(">i2"), np.dtype("i2")),
    "int4": ElementType(23, np.dtype(">i4"), np.dtype("i4")),
    "int8": ElementType(20, np.dtype(">i8"), np.dtype("i8")),
    "timestamptz": ElementType(1184, np.dtype(">i8"), np.dtype("i8"), YEAR_2000),  # microseconds since 1970
    "uuid": ElementType(2950, np.dtype("S16"), np.dtype("S16")),
}
BY_OID = {each.oid: each for each in TYPES.values()}

HEAD = Struct(">5i")
EMPTY = Struct(">3i")


def encode(values: NDArray[Any], type_name: str, valid: Valid | None = None) -> bytes:
    """Encode an array of one of TYPES. An element is null where `valid` is False."""
    element = TYPES[type_name]
    if not len(values):
        return EMPTY.pack(0, 0, element.oid)
    cells = np.empty(len(values), cell_type(element))
    cells["length"] = element.wire.itemsize
    if element.epoch:
        np.subtract(values, element.epoch, out=cells["value"], casting="unsafe")
    else:
        cells["value"] = values
    if valid is None or valid.all():
        return HEAD.pack(1, 0, element.oid, len(values), 1) + cells.tobytes()
    unit = unit_of(element)
    rows = cells.view(unit).reshape(len(values), -1)
    header = 4 // unit.itemsize
    used = np.ones(rows.shape, np.bool_)
    used[:, header:] = valid[:, None]
    rows[~valid, :header] = np.iinfo(unit).max
    return HEAD.pack(1, 1, element.oid, len(values), 1) + rows[used].tobytes()


def encode_texts(texts: Sequence[str]) -> bytes:
    """Encode an array of texts."""
    if not texts:
        return EMPTY.pack(0, 0, TEXT_OID)
    cells = [text.encode() for text in texts]
    head = HEAD.pack(1, 0, TEXT_OID, len(cells), 1)
    return head + b"".join(len(cell).to_bytes(4, "big") + cell for cell in cells)


def decode(data: bytes) -> tuple[Values, Valid | None]:
    """Decode an array of any of TYPES: its values, 0 where null, and which are valid; None if all are."""
    if len(data) == EMPTY.size:
        return np.empty(0, BY_OID[EMPTY.unpack(data)[2]].memory), None
    dimensions, has_null, oid, length, _ = HEAD.unpack_from(data)
    assert dimensions == 1
    element = BY_OID[oid]
    if not has_null:
        return to_memory(np.frombuffer(data, cell_type(element), offset=HEAD.size)["value"], element), None
    unit = unit_of(element)
    units = np.frombuffer(data, unit, offset=HEAD.size)
    header = 4 // unit.itemsize
    nulls = length - (units.nbytes - 4 * length) // element.wire.itemsize
    starts = null_headers(units, nulls, header, header + element.wire.itemsize // unit.itemsize)
    used = np.ones(len(units), np.bool_)
    for n in range(header):
        used[starts + n] = False
    cells = units[used].view(cell_type(element))
    valid = np.ones(length, np.bool_)
    valid[positions_of_nulls(starts, header, cells.itemsize // unit.itemsize)] = False
    values = np.zeros(length, element.memory)
    values[valid] = to_memory(cells["value"], element)
    return values, valid


def null_headers(units: Values, nulls: int, header: int, cell: int) -> NDArray[np.int64]:
    """Return where the lengths of nulls begin, in units: `header` of them are a length, `cell` an element.

    They are all ones. If there are more such places than nulls, values hold some of them.
    """
    ones = units == np.iinfo(units.dtype).max
    places = ones
    for n in range(1, header):
        places = places[:-1] & ones[n:]
    starts = np.flatnonzero(places)
    if len(starts) == nulls:
        return starts
    boundary, own = 0, []
    for start in starts.tolist():
        if start >= boundary and (start - boundary) % cell == 0:
            own.append(start)
            boundary = start + header
    return np.array(own, np.int64)


def positions_of_nulls(starts: NDArray[np.int64], header: int, cell: int) -> NDArray[np.int64]:
    """Return which elements are null, if the lengths of nulls begin at `starts`."""
    before = np.arange(len(starts))
    return before + (starts - before * header) // cell


def to_memory(values: Values, element: ElementType) -> Values:
    memory = values.astype(element.memory)
    if element.epoch:
        memory += element.epoch
    return memory


def cell_type(element: ElementType) -> np.dtype[np.void]:
    return np.dtype([("length", ">i4"), ("value", element.wire)])


def unit_of(element: ElementType) -> np.dtype[np.unsignedinteger]:
    """Return the largest unit in which both a length and a value are whole."""
    return np.dtype(f"u{min(4, element.wire.itemsize)}")
