"""Reads the fields of many lines of the common and combined formats at once, from left to right.

    203.0.113.9 - anna [01/Aug/2018:00:01:35 +0200] "GET /fish/?page=2 HTTP/1.1" 200 2326 "referer" "agent"
    └ address ┘└ user ┘                              └┘  └ URL       ┘└ protocol┘└status └ bytes

Each step leaves out the lines that it can't read, for the grammar. `at` is where the next field begins.
"""

import re

import numpy as np

from service.logs.addresses import SPACE, AddressTable
from service.logs.assembly import Columns, take
from service.logs.chunk_text import HIGH_BITS, ChunkText, Mask, Places, Words, repeat, word
from service.logs.known_texts import MAX_BYTES, UNKNOWN, KnownTexts
from service.logs.line_columns import PageName
from service.logs.name_table import NameTable
from service.logs.shop_format import MAX_LINE_BYTES
from service.logs.standard_heads import REQUEST_AT, read_times

MIN_LINE_BYTES = 50
SHORT_BYTES = 64  # of what is expected to be short; where it is longer, the grammar parses the line
USER = re.compile(rb" [^ ]+ [^\[\]]+ \[")
PROTOCOL = re.compile(rb' [^ "\\]*"')
METHOD = re.compile(rb'[^ "\\]+')
BRACKET, QUOTE = b'["'
STATUS_TEXT, STATUS_BYTES = word(b" 000 "), word(b"\xff" * 5)
STATUS_ROOM = word(bytes([0x7F, 0x76, 0x76, 0x76, 0x7F]))
ZEROS, DIGIT_ROOM = repeat(ord("0")), repeat(0x76)
BYTE = np.uint64(0xFF)
DASH = ord("-")
MILLION = 1_000_000
MAX_KNOWN_BYTES = 1024 * 1024


class StandardFields:
    """Reads fields into the numbers of tables, which it keeps from chunk to chunk."""

    def __init__(self, pages: NameTable[PageName]) -> None:
        self.addresses = AddressTable()
        self.pages = pages
        self.methods = NameTable[str](lambda texts: [text_of(METHOD, text) for text in texts])
        self.referrers = NameTable[str](without_escapes, are_long=True)
        self.agents = NameTable[str](without_escapes, are_long=True)
        self._users = matching_texts(USER)
        self._protocols = matching_texts(PROTOCOL)

    def trim(self) -> None:
        """Forget names if there are too many. Numbers are not valid any more then."""
        for table in (self.addresses, self.pages, self.methods, self.referrers, self.agents):
            table.trim()
        for texts in (self._users, self._protocols):
            if texts.size > MAX_KNOWN_BYTES:
                texts.forget()

    def read(self, text: ChunkText) -> Columns:
        """Read the lines that are written as most are: their rows, and all columns but keys and pages.

        `url_at` and `url_end` are the places of their URLs.
        """
        lengths = text.ends - text.starts
        is_likely = text.ascii_lines() & (lengths >= MIN_LINE_BYTES) & (lengths < MAX_LINE_BYTES)
        rows = np.flatnonzero(is_likely)
        columns = {"row": rows, "at": text.starts[rows], "end": text.ends[rows]}
        for step in (self._read_address, self._read_time, self._read_request, read_status, self._read_agent):
            columns = step(text, columns)
        return columns

    def _read_address(self, text: ChunkText, columns: Columns) -> Columns:
        """Read the address, and pass the user."""
        address, address_end = self.addresses.read(text, columns["at"], columns["end"])
        lengths = text.find(BRACKET, address_end, SHORT_BYTES)
        time_at = address_end + lengths + 1
        is_good = (address != UNKNOWN) & (lengths >= 0) & (time_at + REQUEST_AT < columns["end"])
        is_good &= self._users.look_up(text, address_end, np.where(is_good, time_at, address_end)) != UNKNOWN
        return keep(columns | {"address": address, "at": time_at}, is_good)

    def _read_time(self, text: ChunkText, columns: Columns) -> Columns:
        seconds, is_good = read_times(text, columns["at"])
        return keep(columns | {"occurred": seconds * MILLION, "at": columns["at"] + REQUEST_AT}, is_good)

    def _read_request(self, text: ChunkText, columns: Columns) -> Columns:
        begin = columns["at"] + 1  # behind the quote
        method_end = begin + text.find(SPACE, begin, SHORT_BYTES)
        url_at = method_end + 1
        url_end = url_at + text.find(SPACE, url_at, MAX_BYTES)
        protocol_end = url_end + text.find(QUOTE, url_end, SHORT_BYTES) + 1
        is_good = (method_end > begin) & (url_end > url_at) & (protocol_end > url_end)
        is_good &= protocol_end < columns["end"]
        # Where a field has no end, the places behind it mean nothing.
        columns = keep(
            columns
            | {"begin": begin, "method_end": method_end, "url_at": url_at, "url_end": url_end}
            | {"at": protocol_end},
            is_good,
        )
        method = self.methods.look_up(text, columns["begin"], columns["method_end"])
        protocol = self._protocols.look_up(text, columns["url_end"], columns["at"])
        return keep(columns | {"method": method}, (method != UNKNOWN) & (protocol != UNKNOWN))

    def _read_agent(self, text: ChunkText, columns: Columns) -> Columns:
        """Read the referrer and the agent of those lines that do not end before them."""
        at, end = columns["at"], columns["end"]
        none = np.full(len(at), -1, np.int64)
        columns |= {"referrer": none, "agent": none.copy()}
        has_more = at < end
        if not has_more.any():
            return columns
        rows = np.flatnonzero(has_more)
        referrer_at, is_good = at[rows] + 2, text.holds(at[rows], b' "')
        quotes = text.places(QUOTE, more=3)
        place = np.searchsorted(quotes, referrer_at)
        referrer_end, agent_end = quotes[place], quotes[place + 2]
        agent_at = referrer_end + len(b'" "')
        is_good &= text.holds(referrer_end, b'" "') & (agent_end < end[rows])
        rows, referrer_at, referrer_end = rows[is_good], referrer_at[is_good], referrer_end[is_good]
        columns["referrer"][rows] = quoted(self.referrers, text, referrer_at, referrer_end)
        columns["agent"][rows] = quoted(self.agents, text, agent_at[is_good], agent_end[is_good])
        is_whole = ~has_more
        is_whole[rows] = True
        return keep(columns, is_whole & (columns["referrer"] != UNKNOWN) & (columns["agent"] != UNKNOWN))


def read_status(text: ChunkText, columns: Columns) -> Columns:
    """Read the status and how many bytes the answer had, if these are fewer than 8 digits."""
    at = columns["at"]
    status, numbers = text.words(at, (0, 5))
    status = (status & STATUS_BYTES) ^ STATUS_TEXT
    is_good: Mask = (((status + STATUS_ROOM) | status) & HIGH_BITS) == 0
    digits = [(status >> np.uint64(shift) & BYTE).astype(np.int64) for shift in (8, 16, 24)]
    columns = columns | {"status": (digits[0] * 10 + digits[1]) * 10 + digits[2]}
    is_dash = numbers & BYTE == DASH
    numbers ^= ZEROS
    others = ((numbers + DIGIT_ROOM) | numbers) & HIGH_BITS
    # The lowest of these bits is that of the first byte that is no digit.
    lengths = np.bitwise_count((others & -others) - np.uint64(1)).astype(np.int64) >> 3
    is_good &= (others != 0) & ((lengths > 0) | is_dash)
    values = numbers_of(numbers, lengths)
    columns |= {"body_bytes": np.where(is_dash, -1, values), "at": at + 5 + lengths + is_dash}
    return keep(columns, is_good & (columns["at"] <= columns["end"]))


def numbers_of(digits: Words, lengths: Places) -> Places:
    """Return the numbers of words whose first bytes are digits, from 1 to 7 of them."""
    # The digits move to the last bytes; then neighbours are joined: 8 numbers, 4, 2, 1.
    digits = digits << (np.uint64(8) * (np.uint64(8) - np.clip(lengths, 1, 7).astype(np.uint64)))
    digits = digits * np.uint64(10) + (digits >> np.uint64(8))
    pairs = digits & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(100) + (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return ((fours * np.uint64(10_000) + (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF)).view(np.int64)


def quoted(table: NameTable[str], text: ChunkText, starts: Places, ends: Places) -> Places:
    """Return the numbers of what stands between quotes; -1 for a dash or nothing."""
    numbers, lengths = np.full(len(starts), -1, np.int64), ends - starts
    [words] = text.words(starts)
    rows = np.flatnonzero((lengths > 1) | ((lengths == 1) & (words & BYTE != DASH)))
    numbers[rows] = table.look_up(text, starts[rows], ends[rows])
    return numbers


def keep(columns: Columns, is_good: Mask) -> Columns:
    return columns if is_good.all() else take(columns, np.flatnonzero(is_good))


def matching_texts(pattern: re.Pattern[bytes]) -> KnownTexts:
    """Return a table in which all texts that match have the number 0."""
    return KnownTexts(lambda texts: [0 if pattern.fullmatch(text) else UNKNOWN for text in texts])


def text_of(pattern: re.Pattern[bytes], raw: bytes) -> str | None:
    return raw.decode("ascii") if pattern.fullmatch(raw) else None


def without_escapes(texts: list[bytes]) -> list[str | None]:
    """Return the texts; None for one with a backslash: a quote before its end may be part of it."""
    return [None if b"\\" in text else text.decode("ascii") for text in texts]
