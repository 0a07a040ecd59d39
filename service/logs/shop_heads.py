"""Reads the beginning of many lines of the shop's log at once: container, time and request key.

    shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 121.165.118.201 https://shop.example/fresh_fish/
                    └ words at 0, 8, 13 and 29 ┘└ 21 ┘   └ 37

Lines are compared with those containers that lines of the chunk have which the grammar takes.
"""

import re
from dataclasses import dataclass
from datetime import date

import numpy as np

from service.logs.chunk_text import HIGH_BITS, ChunkText, Mask, Places, Words, repeat, word
from service.logs.line_columns import Int64s
from service.logs.local_times import NAIVE_EPOCH
from service.logs.shop_format import BadLine, parse_line

HEAD_BYTES = 37  # from the time to the address
KEY_END_AT = 29
KEY_END = word(b"] INFO: ")
WORD_OFFSETS = (0, 8, 13, 21, KEY_END_AT)
TIME = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")
TRIED_LINES = 8
MAX_CONTAINER_BYTES = 64

# Of a word xored with its _TEXT, each byte is a small number, or 0 where a fixed character stands. Adding
# _ROOM sets the high bit of bytes that are too large.
DATE_TEXT, DATE_ROOM = word(b"0000-00-"), word(bytes([0x76] * 4 + [0x7F, 0x76, 0x76, 0x7F]))
HOUR_TEXT, HOUR_ROOM = word(b"00 00:00"), word(bytes([0x76, 0x76, 0x7F, 0x7D, 0x76, 0x7F, 0x7A, 0x76]))
SECOND_TEXT, SECOND_ROOM = word(b":00:00 ["), word(bytes([0x7F, 0x7A, 0x76, 0x7F, 0x7A, 0x76, 0x7F, 0x7F]))
DASHES = ~word(b"\0\0\0\0\xff\0\0\xff")
BYTE = np.uint64(0xFF)
DAY_SECONDS = 86_400
HOURS = 24
BASE = 10


@dataclass(frozen=True, slots=True)
class Heads:
    """The lines that begin as they should.

    :param rows: their indices in the chunk
    :param local_seconds: their local times, in seconds since 1970
    :param ends: where their addresses begin
    """

    rows: Places
    local_seconds: Int64s
    keys: Int64s
    ends: Places


def read_heads(text: ChunkText) -> Heads:
    """Read the time and the key that begin each line of the shop's log; leave out lines that have none."""
    rows, times_at = find_times(text)
    day_word, hour_word, second_word, key_word, _ = text.words(times_at, WORD_OFFSETS)
    is_good = is_key(key_word)
    day_word ^= DATE_TEXT
    hour_word ^= HOUR_TEXT
    second_word ^= SECOND_TEXT
    for found, room in ((day_word, DATE_ROOM), (hour_word, HOUR_ROOM), (second_word, SECOND_ROOM)):
        is_good &= (((found + room) | found) & HIGH_BITS) == 0
    # Day and month where the dashes were: the word stands for a date.
    dates = (day_word & DASHES) | (hour_word & BYTE) << np.uint64(32)
    dates |= (hour_word >> np.uint64(8) & BYTE) << np.uint64(56)
    days, is_date = to_days(dates)
    seconds, is_time = to_seconds(hour_word, second_word)
    is_good &= is_date & is_time
    local_seconds, keys = days * DAY_SECONDS + seconds, key_word.byteswap().view(np.int64)
    ends = times_at + HEAD_BYTES
    if not is_good.all():
        rows, local_seconds, keys, ends = rows[is_good], local_seconds[is_good], keys[is_good], ends[is_good]
    return Heads(rows, local_seconds, keys, ends)


def find_times(text: ChunkText) -> tuple[Places, Places]:
    """Return the lines that seem to have a head, and where its time stands in each."""
    times_at = np.full(len(text.starts), -1, np.int64)
    rest = np.flatnonzero(text.ends - text.starts > HEAD_BYTES)
    for trial in range(TRIED_LINES):
        if not len(rest):
            break
        tried = (2 * trial + 1) * len(rest) // (2 * TRIED_LINES)
        [line] = text.lines(rest[tried : tried + 1])
        container = container_of(line)
        if container is None:
            continue
        at = text.starts[rest] + len(container)
        fits = at + HEAD_BYTES < text.ends[rest]
        fits &= text.holds(text.starts[rest], container)
        fits[fits] = text.words(at[fits] + KEY_END_AT)[0] == KEY_END
        times_at[rest[fits]] = at[fits]
        rest = rest[~fits]
    rows = np.flatnonzero(times_at >= 0)
    return rows, times_at[rows]


def container_of(line: bytes) -> bytes | None:
    """Return what stands before the time of a line; None if the line is bad.

    The grammar takes these bytes before any other time, too.
    """
    time = TIME.search(line[: MAX_CONTAINER_BYTES + HEAD_BYTES])
    if time is None or time.start() > MAX_CONTAINER_BYTES:
        return None
    try:
        parse_line(line)
    except BadLine:
        return None
    return line[: time.start()]


def is_key(words: Words) -> Mask:
    """Return which words are 8 of A-Z and 0-9."""
    letters = at_least(words, ord("A")) & ~at_least(words, ord("Z") + 1)
    digits = at_least(words, ord("0")) & ~at_least(words, ord("9") + 1)
    is_good: Mask = ((~(letters | digits) | words) & HIGH_BITS) == 0
    return is_good


def at_least(words: Words, byte: int) -> Words:
    """Set the high bit of each byte that is not below this one; both are ASCII."""
    return words + repeat(0x80 - byte)


def to_days(dates: Words) -> tuple[Int64s, Mask]:
    """Return the days since 1970 of dates, and which there are."""
    begins = np.flatnonzero(np.append(True, dates[1:] != dates[:-1])) if len(dates) else np.zeros(0, np.int64)
    distinct, places = np.unique(dates[begins], return_inverse=True)
    days = [to_day(value.tobytes()) for value in distinct]
    numbers = np.array([day or 0 for day in days], np.int64)[places]
    exists = np.array([day is not None for day in days], np.bool_)[places]
    counts = np.diff(np.append(begins, len(dates)))
    return np.repeat(numbers, counts), np.repeat(exists, counts)


def to_day(digits: bytes) -> int | None:
    """Return the days since 1970 of a date, in the order of `dates`; None if there is no such date."""
    y1, y2, y3, y4, d1, m1, m2, d2 = digits
    if max(digits) >= BASE:
        return None
    try:
        day = date(((y1 * BASE + y2) * BASE + y3) * BASE + y4, m1 * BASE + m2, d1 * BASE + d2)
    except ValueError:
        return None
    return day.toordinal() - NAIVE_EPOCH.toordinal()


def to_seconds(hour_word: Words, second_word: Words) -> tuple[Int64s, Mask]:
    """Return the seconds since midnight, and for which the hour is one."""
    hours_and_minutes = tens_and_ones(hour_word >> np.uint64(24))
    hours = hours_and_minutes & BYTE
    minutes = hours_and_minutes >> np.uint64(24) & BYTE
    seconds = tens_and_ones(second_word >> np.uint64(32)) & BYTE
    seconds += hours * np.uint64(3600) + minutes * np.uint64(60)
    return seconds.view(np.int64), hours < HOURS


def tens_and_ones(digits: Words) -> Words:
    """Return each byte times ten, plus the byte after it."""
    return digits * np.uint64(BASE) + (digits >> np.uint64(8))
