"""Reads the times of many lines of the common and combined formats at once.

01/Aug/2018:00:01:35 +0200] "GET /fish/?page=2 HTTP/1.1" 200 2326 "referer" "agent"
└ words at 0, 4, 12, 20 and 21 ┘
"""

from datetime import date

import numpy as np

from service.logs.chunk_text import HIGH_BITS, ChunkText, Mask, Places, Words, word
from service.logs.combined_format import MONTHS
from service.logs.line_columns import Int64s
from service.logs.local_times import NAIVE_EPOCH
from service.logs.shop_heads import BYTE, DAY_SECONDS, HOURS, tens_and_ones

REQUEST_AT = 28  # from the time to the quote before the request
WORD_OFFSETS = (0, 4, 12, 20, 21)
TIME_TEXT, TIME_ROOM = word(b"00:00:00"), word(bytes([0x7D, 0x76, 0x7F, 0x7A, 0x76, 0x7F, 0x7A, 0x76]))
DATE_LENGTH = 12  # with the colon after it
ZONE_HOURS = 24
MINUTE, HOUR = 60, 3600


def read_times(text: ChunkText, at: Places) -> tuple[Int64s, Mask]:
    """Return the instants of times at these places, in seconds since 1970; and which are good.

    A good one is followed by the beginning of a request.
    """
    date_words, month_words, times, zone_words, zone_ends = text.words(at, WORD_OFFSETS)
    days, is_good = dates_of(date_words, month_words)
    times ^= TIME_TEXT
    is_good &= (((times + TIME_ROOM) | times) & HIGH_BITS) == 0
    numbers = tens_and_ones(times)
    hours = numbers & BYTE
    is_good &= hours < HOURS
    seconds = hours * np.uint64(HOUR) + (numbers >> np.uint64(24) & BYTE) * np.uint64(MINUTE)
    seconds += numbers >> np.uint64(48) & BYTE
    offsets, is_zone = zones_of(zone_words, zone_ends)
    return days * DAY_SECONDS + seconds.view(np.int64) - offsets, is_good & is_zone


def dates_of(begins: Words, ends: Words) -> tuple[Int64s, Mask]:
    """Return the days since 1970 of dates with a colon, of which these are bytes 0 to 7 and 4 to 11."""
    if not len(begins):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    is_change = (begins[1:] != begins[:-1]) | (ends[1:] != ends[:-1])
    changes = np.flatnonzero(np.append(True, is_change))
    known: dict[tuple[int, int], int | None] = {}
    days = []
    for pair in zip(begins[changes].tolist(), ends[changes].tolist(), strict=True):
        if pair not in known:
            begin, end = (number.to_bytes(8, "little") for number in pair)
            known[pair] = to_day(begin + end[4:])
        days.append(known[pair])
    counts = np.diff(np.append(changes, len(begins)))
    numbers = np.array([day or 0 for day in days], np.int64)
    return np.repeat(numbers, counts), np.repeat([day is not None for day in days], counts)


def to_day(text: bytes) -> int | None:
    """Return the days since 1970 of a date such as 01/Aug/2018: with its colon; None if it is none."""
    day, month, year = text[:2], text[3:6].decode("latin-1"), text[7:11]
    is_written_so = (text[2:3], text[6:7], text[11:12]) == (b"/", b"/", b":") and month in MONTHS
    if not (is_written_so and day.isdigit() and year.isdigit()):
        return None
    try:
        ordinal = date(int(year), MONTHS.index(month) + 1, int(day)).toordinal()
    except ValueError:
        return None
    return ordinal - NAIVE_EPOCH.toordinal()


def zones_of(begins: Words, ends: Words) -> tuple[Int64s, Mask]:
    """Return the seconds ahead of UTC of zones such as ` +0200] "`: bytes 0 to 7 of each, and 1 to 8."""
    distinct, places = np.unique(ends, return_inverse=True)
    offsets = [to_offset(number.tobytes()) for number in distinct]
    seconds = np.array([offset or 0 for offset in offsets], np.int64)
    is_good = np.array([offset is not None for offset in offsets], np.bool_)
    return seconds[places], is_good[places] & ((begins & BYTE) == ord(" "))


def to_offset(text: bytes) -> int | None:
    """Return the seconds ahead of UTC of a zone such as `+0200] "`; None if it is none."""
    sign, hours, minutes = text[:1], text[1:3], text[3:5]
    if text[5:] != b'] "' or sign not in {b"+", b"-"} or not (hours + minutes).isdigit():
        return None
    if int(hours) >= ZONE_HOURS or int(minutes) >= MINUTE:
        return None
    seconds = int(hours) * HOUR + int(minutes) * MINUTE
    return -seconds if sign == b"-" else seconds
