"""Reads what fields of many lines say, each between two places, into columns.

Each function leaves out the lines whose field it can't read, for the grammar.
"""

from collections.abc import Callable

import numpy as np

from service.logs import standard_heads as heads
from service.logs.assembly import Columns, take
from service.logs.chunk_text import HIGH_BITS, ChunkText, Mask, Places, Words, repeat, word
from service.logs.known_texts import MAX_BYTES, UNKNOWN
from service.logs.name_table import NameTable
from service.logs.nginx_variables import Role
from service.logs.standard_tables import StandardTables

SHORT_BYTES = 64  # of what is expected to be short; where it is longer, the grammar parses the line
SPACE, DASH = b" -"
ZERO, NINE, POINT = b"09."
MAX_NUMBER_BYTES = 20
STATUS_BYTES = 3
STATUS_TEXT, STATUS_MASK = word(b"000"), word(b"\xff" * STATUS_BYTES)
STATUS_ROOM = word(b"\x76" * STATUS_BYTES)
ZEROS, DIGIT_ROOM = repeat(ord("0")), repeat(0x76)
MAX_SIZE_DIGITS = 7
BYTE = np.uint64(0xFF)
TIMES: dict[Role, tuple[Callable[[ChunkText, Places], heads.Times], int]] = {
    "local_time": (heads.read_local_times, heads.LOCAL_TIME_BYTES),
    "iso_time": (heads.read_iso_times, heads.ISO_TIME_BYTES),
    "unix_time": (heads.read_unix_times, heads.UNIX_TIME_BYTES),
    "date": (heads.read_dates, heads.DATE_BYTES),
    "time": (heads.read_clock_times, heads.TIME_BYTES),
}


def read_value(
    role: Role, text: ChunkText, columns: Columns, span: tuple[Places, Places], tables: StandardTables
) -> Columns:
    """Read what the field of each line says; `span` is where it begins and where it ends."""
    if role in TIMES:
        return read_time(role, text, columns, span)
    match role:
        case "user":
            return check_user(text, columns, span, tables)
        case "request":
            return read_request(text, columns, span, tables)
        case "url":
            return columns | {"url_at": span[0], "url_end": span[1]}
        case "status":
            return read_status(text, columns, span)
        case "body_bytes":
            return read_body_bytes(text, columns, span)
        case "address":
            numbers = tables.addresses.get(text, *span)
        case _:
            numbers = optional_texts(tables.names[role], text, *span)
    return keep(columns | {role: numbers}, numbers != UNKNOWN)


def read_time(role: Role, text: ChunkText, columns: Columns, span: tuple[Places, Places]) -> Columns:
    """Read a time; a date and a time of day add up."""
    starts, ends = span
    read, length = TIMES[role]
    occurred, is_good = read(text, starts)
    is_good = is_good & (ends - starts == length)
    if role in {"date", "time"}:
        occurred = occurred + columns.get("occurred", 0)
    return keep(columns | {"occurred": occurred}, is_good)


def check_user(
    text: ChunkText, columns: Columns, span: tuple[Places, Places], tables: StandardTables
) -> Columns:
    """Keep the lines whose user has a name that may stand there."""
    starts, ends = span
    return keep(columns, (starts == ends) | (tables.users.get(text, starts, ends) != UNKNOWN))


def optional_texts(table: NameTable[str], text: ChunkText, starts: Places, ends: Places) -> Places:
    """Return the numbers of texts; -1 for a dash or nothing."""
    numbers, lengths = np.full(len(starts), -1, np.int64), ends - starts
    [words] = text.words(starts)
    rows = np.flatnonzero((lengths > 1) | ((lengths == 1) & (words & BYTE != DASH)))
    numbers[rows] = table.get(text, starts[rows], ends[rows])
    return numbers


def read_request(
    text: ChunkText, columns: Columns, span: tuple[Places, Places], tables: StandardTables
) -> Columns:
    """Read the method, and where the URL stands, of requests such as GET / HTTP/1.1."""
    starts, ends = span
    method_ends = starts + text.find(SPACE, starts, SHORT_BYTES)
    url_at = method_ends + 1
    url_ends = url_at + text.find(SPACE, url_at, MAX_BYTES)
    # Where a field has no end, the places behind it mean nothing.
    is_good = (method_ends > starts) & (url_ends > url_at) & (url_ends < ends)
    columns = columns | {"begin": starts, "method_end": method_ends, "request_end": ends}
    columns = keep(columns | {"url_at": url_at, "url_end": url_ends}, is_good)
    method = tables.methods.get(text, columns["begin"], columns["method_end"])
    protocol = tables.protocols.get(text, columns["url_end"], columns["request_end"])
    return keep(columns | {"method": method}, (method != UNKNOWN) & (protocol != UNKNOWN))


def read_status(text: ChunkText, columns: Columns, span: tuple[Places, Places]) -> Columns:
    starts, ends = span
    [words] = text.words(starts)
    words = (words & STATUS_MASK) ^ STATUS_TEXT
    is_good: Mask = (((words + STATUS_ROOM) | words) & HIGH_BITS) == 0
    digits = [(words >> np.uint64(shift) & BYTE).astype(np.int64) for shift in (0, 8, 16)]
    columns = columns | {"status": (digits[0] * 10 + digits[1]) * 10 + digits[2]}
    return keep(columns, is_good & (ends - starts == STATUS_BYTES))


def size_lengths(text: ChunkText, starts: Places) -> Places:
    """Return how long sizes are: a dash, or up to 7 digits; 0 for others."""
    [words] = text.words(starts)
    is_dash = words & BYTE == DASH
    return np.where(is_dash, 1, digit_counts(words ^ ZEROS))


def digit_counts(digits: Words) -> Places:
    """Return how many digits words begin with, whose zeros are 0; 0 where all eight are digits."""
    others = ((digits + DIGIT_ROOM) | digits) & HIGH_BITS
    # The lowest of these bits is that of the first byte that is not a digit.
    lengths = np.bitwise_count((others & -others) - np.uint64(1)).astype(np.int64) >> 3
    return np.where(others == 0, 0, lengths)


def read_body_bytes(text: ChunkText, columns: Columns, span: tuple[Places, Places]) -> Columns:
    """Read how many bytes answers had, if these are fewer than 8 digits."""
    starts, ends = span
    [words] = text.words(starts)
    lengths, is_dash = ends - starts, words & BYTE == DASH
    digits = words ^ ZEROS
    counts = digit_counts(digits)
    is_good = ((counts == lengths) & (lengths > 0)) | (is_dash & (lengths == 1))
    return keep(columns | {"body_bytes": np.where(is_dash, -1, numbers_of(digits, lengths))}, is_good)


def numbers_of(digits: Words, lengths: Places) -> Places:
    """Return the numbers of words whose first bytes are digits, from 1 to 7 of them."""
    room = np.uint64(8) * (np.uint64(8) - np.clip(lengths, 1, MAX_SIZE_DIGITS).astype(np.uint64))
    return heads.number_of(digits << room)  # the digits are the last bytes now


def are_numbers(text: ChunkText, starts: Places, ends: Places) -> Mask:
    """Return which texts are numbers of JSON without a sign and an exponent, of 20 bytes at most."""
    lengths = ends - starts
    firsts, seconds, lasts = text.bytes_at(starts), text.bytes_at(starts + 1), text.bytes_at(ends - 1)
    is_good: Mask = (lengths > 0) & (lengths <= MAX_NUMBER_BYTES) & (firsts != POINT) & (lasts != POINT)
    is_good &= (firsts != ZERO) | (lengths == 1) | (seconds == POINT)
    points = np.zeros(len(starts), np.int64)
    for offset in range(min(MAX_NUMBER_BYTES, int(lengths.max(initial=0)))):
        digits = text.bytes_at(np.minimum(starts + offset, ends - 1))
        is_point = (digits == POINT) & (offset < lengths)
        points += is_point
        is_good &= is_point | ((digits >= ZERO) & (digits <= NINE)) | (offset >= lengths)
    return is_good & (points <= 1)


def keep(columns: Columns, is_good: Mask) -> Columns:
    return columns if is_good.all() else take(columns, np.flatnonzero(is_good))
