"""Files of decoded columns: a part of visits each, as numpy maps it.

A file is a header and arrays one after the other, each as long as a count in the header says. It is made of
what PostgreSQL holds, so a file that is missing, short or wrong costs only the time of making it again.
"""

import mmap
import os
import uuid
import zlib
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

from db.columns import Valid, Values
from db.unique import distinct
from db.visit_ids import visit_ids

Array = npt.NDArray[Any]

MAGIC = b"trawlcol"
VERSION = 3
HEADER_BYTES = 128
# The arrays in their order in the file, and which count is the length of each.
LAYOUT = (
    ("occurred", "<i8", "visits"),
    ("key", "<i8", "visits"),
    ("cart_id", "<i8", "numbers"),
    ("goods_id", "<i8", "numbers"),
    ("amount", "<i8", "numbers"),
    ("user_id", "<i8", "numbers"),
    ("visitor", "<i8", "visitor_rows"),
    ("bytes", "<i8", "bytes_rows"),
    ("address", "<i4", "visits"),
    ("page", "<i4", "visits"),
    ("number_rows", "<i4", "numbers"),
    ("addresses", "<i4", "addresses"),
    ("pages", "<i4", "pages"),
    ("referrer", "<i4", "referrer_rows"),
    ("agent", "<i4", "agent_rows"),
    ("referrers", "<i4", "referrers"),
    ("agents", "<i4", "agents"),
    ("status", "<i2", "status_rows"),
    ("statuses", "<i2", "statuses"),
    ("kind", "u1", "visits"),
    ("method", "u1", "method_rows"),
    ("ids", "S16", "id_rows"),
)
COUNTS = tuple(dict.fromkeys(count for _, _, count in LAYOUT))
# magic, version, token, counts, kinds, CRC of the arrays, CRC of this
HEADER = Struct(f"<8sI16s{len(COUNTS)}I3I")
# Columns that a part may lack: their names in PostgreSQL, and those of their distinct values here.
OPTIONAL = {
    "method": ("method", None),
    "status": ("status", "statuses"),
    "bytes": ("bytes", None),
    "referrer": ("referrer_id", "referrers"),
    "agent": ("agent_id", "agents"),
    "visitor": ("visitor_id", None),
    "ids": ("request_id", None),
}
NO_BYTES = -1
NO_VISITOR = -(2**63)  # no live visit of such a visitor is merged
ABSENT = {"bytes": NO_BYTES, "visitor": NO_VISITOR}  # what stands for no value where it is not 0
DTYPES = {name: np.dtype(dtype) for name, dtype, _ in LAYOUT}
NUMBERS = ("cart_id", "goods_id", "amount", "user_id")
SHORT_RUN = 12  # visits of one instant up to which swapping neighbours is quicker than sorting


@dataclass(frozen=True, slots=True)
class PartColumns:
    """The visits of a part, ordered by (occurred, key).

    :param occurred: microseconds since 1970
    :param key: what tells visits of one instant apart
    :param page: 0 for a template page
    :param kind: character codes
    :param number_rows: the rows that have any of the numbers, which are 0 where a row lacks one
    :param addresses: the distinct ones; like `pages`, `referrers`, `agents` and `statuses` without 0
    :param referrer: 0 for none, like `agent`, `status` and `method` (a character code); `bytes` has NO_BYTES;
        each is empty if no visit has a value
    :param ids: of live visits, which have a `visitor` or NO_VISITOR; both are empty for lines of logs
    :param kinds: a bit for each kind that there is, as `kind_bit` says
    :param size: bytes of the arrays
    """

    occurred: Array
    key: Array
    cart_id: Array
    goods_id: Array
    amount: Array
    user_id: Array
    address: Array
    page: Array
    number_rows: Array
    addresses: Array
    pages: Array
    kind: Array
    method: Array
    status: Array
    bytes: Array
    referrer: Array
    agent: Array
    referrers: Array
    agents: Array
    statuses: Array
    visitor: Array
    ids: Array
    kinds: int
    size: int

    def __len__(self) -> int:
        return len(self.occurred)

    def values(self, name: str, rows: "Array | slice") -> Array:
        """Return a column that there may not be: as if no visit had a value then."""
        column: Array = getattr(self, name)
        if len(column):
            return values_at(column, rows)
        count = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        return np.full(count, ABSENT.get(name, 0), column.dtype)

    def ids_at(self, rows: "Array | slice") -> Array:
        """Return the ids of some visits."""
        if len(self.ids):
            return np.asarray(self.ids[rows])
        return visit_ids(self.occurred[rows], self.key[rows])

    def users_at(self, rows: Array) -> tuple[Array, Array]:
        """Return who visited, of lines who pays, and for which visits that is known."""
        if len(self.ids):
            users = self.values("visitor", rows)
            return users, users != NO_VISITOR
        if not len(self.number_rows):
            return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
        numbers = np.searchsorted(self.number_rows, rows)
        numbers[numbers == len(self.number_rows)] = 0
        users = np.where(self.number_rows[numbers] == rows, self.user_id[numbers], 0)
        return users, users > 0


def values_at(column: Array, rows: "Array | slice") -> Array:
    """Return the values of some rows; `take` needs half the time of an index."""
    return column[rows] if isinstance(rows, slice) else column.take(rows)


def kind_bit(code: int) -> int:
    return 1 << (code - ord("a"))


def make_columns(arrays: dict[str, tuple[Values, Valid | None] | None]) -> PartColumns:
    """Make the columns of a part from its arrays as PostgreSQL has them, by their names there."""
    values = {name: pair[0] for name, pair in arrays.items() if pair is not None}
    order = order_of(values["occurred"], values["key"])
    rows = np.zeros(len(order), np.bool_)
    for name in NUMBERS:
        if name in values:
            rows |= values[name][order] != 0
    number_rows = np.flatnonzero(rows).astype(np.int32)
    chosen = order[number_rows]
    numbers = {
        name: values[name][chosen] if name in values else np.zeros(len(chosen), np.int64) for name in NUMBERS
    }
    address, page, kind = (values[name][order] for name in ("address_id", "page_id", "kind"))
    pages = distinct(page)
    columns = {
        "occurred": values["occurred"][order],
        "key": values["key"][order],
        "address": address,
        "page": page,
        "kind": kind,
        "number_rows": number_rows,
        "addresses": distinct(address),
        "pages": pages[pages != 0],
        **numbers,
        **optional_columns(arrays, order),
    }
    kinds = sum(kind_bit(int(code)) for code in np.flatnonzero(np.bincount(kind)))
    size = sum(array.nbytes for array in columns.values())
    return PartColumns(**columns, kinds=kinds, size=size)


def optional_columns(arrays: dict[str, tuple[Values, Valid | None] | None], order: Array) -> dict[str, Array]:
    """Return the columns that a part may lack, and their distinct values."""
    columns: dict[str, Array] = {}
    for name, (source, values_of) in OPTIONAL.items():
        dtype = DTYPES[name]
        pair = arrays.get(source)
        column = np.empty(0, dtype) if pair is None else pair[0].astype(dtype)
        if name in ABSENT and pair is not None and pair[1] is not None:
            column[~pair[1]] = ABSENT[name]
        columns[name] = column[order] if pair is not None else column
        if values_of is not None:
            values = distinct(column)
            columns[values_of] = values[values != 0]
    return columns


def order_of(occurred: Array, key: Array) -> Array:
    """Return the order by (occurred, key) of rows that are in order of time."""
    order = np.arange(len(occurred))
    if not len(occurred):
        return order
    same = occurred[1:] == occurred[:-1]
    if not (occurred[1:] >= occurred[:-1]).all() or longest_run(same) > SHORT_RUN:
        return np.lexsort((key, occurred))
    key = key.copy()
    places = np.flatnonzero(same)
    while len(swaps := places[key[places] > key[places + 1]]):
        for parity in (0, 1):  # neighbours of one parity do not overlap
            left = swaps[swaps % 2 == parity]
            left = left[key[left] > key[left + 1]]
            for array in (key, order):
                array[left], array[left + 1] = array[left + 1], array[left]
    return order


def longest_run(same: Array) -> int:
    """Return how many rows the longest run of rows has that are each the same as the one before."""
    ends = np.flatnonzero(np.append(~same, True))
    return int(np.diff(ends, prepend=-1).max())


def path_of(folder: Path, token: uuid.UUID) -> Path:
    return folder / f"{token.hex}.columns"


def write_file(folder: Path, token: uuid.UUID, columns: PartColumns) -> None:
    """Write a part's file; it is there as a whole or not at all.

    :raises OSError: it can't be written
    """
    arrays = [np.ascontiguousarray(getattr(columns, name), dtype) for name, dtype, _ in LAYOUT]
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(array.data, checksum)
    lengths = {count: len(getattr(columns, name)) for name, _, count in LAYOUT}
    counts = [lengths[name] for name in COUNTS]
    temporary = folder / f".{token.hex}.{token_hex(4)}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(pack_header(token, counts, columns.kinds, checksum))
            file.writelines(array.data for array in arrays)
        temporary.replace(path_of(folder, token))
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def pack_header(token: uuid.UUID, counts: list[int], kinds: int, checksum: int) -> bytes:
    head = HEADER.pack(MAGIC, VERSION, token.bytes, *counts, kinds, checksum, 0)[:-4]
    return (head + zlib.crc32(head).to_bytes(4, "little")).ljust(HEADER_BYTES, b"\0")


def map_file(folder: Path, token: uuid.UUID) -> PartColumns | None:
    """Map a part's file; None if there is none, or it is not what was written."""
    try:
        with path_of(folder, token).open("rb") as file:
            if os.fstat(file.fileno()).st_size < HEADER_BYTES:
                return None
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:
        return None
    counts = read_header(data[:HEADER_BYTES], token)
    if counts is None:
        return None
    *lengths, kinds, checksum = counts
    by_name = dict(zip(COUNTS, lengths, strict=True))
    size = sum(np.dtype(dtype).itemsize * by_name[count] for _, dtype, count in LAYOUT)
    if len(data) != HEADER_BYTES + size or zlib.crc32(memoryview(data)[HEADER_BYTES:]) != checksum:
        return None
    arrays, offset = {}, HEADER_BYTES
    for name, dtype, count in LAYOUT:
        arrays[name] = np.frombuffer(data, dtype, by_name[count], offset)
        offset += arrays[name].nbytes
    return PartColumns(**arrays, kinds=kinds, size=size)


def read_header(head: bytes, token: uuid.UUID) -> list[int] | None:
    """Return the counts, kinds and checksum of a file; None if it is not the file of this part."""
    magic, version, owner, *numbers, check = HEADER.unpack_from(head)
    if (magic, version, owner) != (MAGIC, VERSION, token.bytes):
        return None
    return numbers if check == zlib.crc32(head[: HEADER.size - 4]) else None
