"""Reads the times of many lines at once, as instants in microseconds since 1970.

    01/Aug/2018:00:01:35 +0200      words at 0, 4, 12 and 20
    2018-08-01T00:01:35+02:00       words at 0, 3, 11 and 19; of a W3C log, the date and the time
    1533081695.123                  words at 0 and 6

Fractions and other ways to write a time are for the grammar.
"""

from collections.abc import Callable
from datetime import date

import numpy as np

from service.logs.chunk_text import HIGH_BITS, ChunkText, Mask, Places, Words, repeat, word
from service.logs.line_columns import Int64s
from service.logs.local_times import NAIVE_EPOCH
from service.logs.shop_heads import BYTE, DAY_SECONDS, HOURS, tens_and_ones
from service.logs.standard_line import MONTHS

MILLION = 1_000_000
LOCAL_TIME_BYTES, ISO_TIME_BYTES, UNIX_TIME_BYTES = 26, 25, 14
DATE_BYTES, TIME_BYTES = 10, 8
TIME_TEXT, TIME_ROOM = word(b"00:00:00"), word(bytes([0x7D, 0x76, 0x7F, 0x7A, 0x76, 0x7F, 0x7A, 0x76]))
ZONE_BYTES = word(b"\xff" * 6)
UNIX_TEXT, UNIX_ROOM = word(b"0000.000"), word(bytes([0x76] * 4 + [0x7F] + [0x76] * 3))
DIGITS, DIGIT_ROOM = repeat(ord("0")), repeat(0x76)
ZONE_HOURS = 24
MINUTE, HOUR = 60, 3600

Times = tuple[Int64s, Mask]


def read_local_times(text: ChunkText, at: Places) -> Times:
    """Return the instants of times such as 01/Aug/2018:00:01:35 +0200; and which are good."""
    begins, ends, times, zones = text.words(at, (0, 4, 12, 20))
    days, is_date = dates_of(begins, ends, to_day)
    seconds, is_time = seconds_of(times)
    offsets, is_zone = zones_of(zones & ZONE_BYTES, local_offset)
    return (days * DAY_SECONDS + seconds - offsets) * MILLION, is_date & is_time & is_zone


def read_iso_times(text: ChunkText, at: Places) -> Times:
    """Return the instants of times such as 2018-08-01T00:01:35+02:00; and which are good."""
    begins, ends, times, zones = text.words(at, (0, 3, 11, 19))
    days, is_date = dates_of(begins, ends, iso_day)
    seconds, is_time = seconds_of(times)
    offsets, is_zone = zones_of(zones & ZONE_BYTES, iso_offset)
    return (days * DAY_SECONDS + seconds - offsets) * MILLION, is_date & is_time & is_zone


def read_unix_times(text: ChunkText, at: Places) -> Times:
    """Return the instants of times such as 1533081695.123; and which are good."""
    begins, ends = text.words(at, (0, 6))
    begins ^= DIGITS
    ends ^= UNIX_TEXT
    is_good: Mask = (((begins + DIGIT_ROOM) | begins | (ends + UNIX_ROOM) | ends) & HIGH_BITS) == 0
    eight = number_of(begins)  # the first eight digits, then two, and three behind the point
    digits = [(ends >> np.uint64(shift) & BYTE).astype(np.int64) for shift in (16, 24, 40, 48, 56)]
    seconds = eight * 100 + digits[0] * 10 + digits[1]
    milliseconds = digits[2] * 100 + digits[3] * 10 + digits[4]
    return seconds * MILLION + milliseconds * 1000, is_good


def read_dates(text: ChunkText, at: Places) -> Times:
    """Return the first instants of dates such as 2018-08-01, in UTC; and which are good."""
    begins, ends = text.words(at, (0, 3))
    days, is_date = dates_of(begins, ends, lambda raw: iso_day(raw[:-1] + b"T"))
    return days * DAY_SECONDS * MILLION, is_date


def read_clock_times(text: ChunkText, at: Places) -> Times:
    """Return the microseconds of times such as 00:01:35 since midnight; and which are good."""
    [times] = text.words(at)
    seconds, is_time = seconds_of(times)
    return seconds * MILLION, is_time


def number_of(digits: Words) -> Int64s:
    """Return the numbers of 8 digits; neighbours are joined: 8 numbers, 4, 2, 1."""
    digits = digits * np.uint64(10) + (digits >> np.uint64(8))
    pairs = digits & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(100) + (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    numbers: Int64s = ((fours * np.uint64(10_000) + (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF)).view(
        np.int64
    )
    return numbers


def seconds_of(times: Words) -> Times:
    """Return the seconds since midnight of words such as 00:01:35; and which are good."""
    times = times ^ TIME_TEXT
    is_good: Mask = (((times + TIME_ROOM) | times) & HIGH_BITS) == 0
    numbers = tens_and_ones(times)
    hours = numbers & BYTE
    is_good &= hours < HOURS
    seconds = hours * np.uint64(HOUR) + (numbers >> np.uint64(24) & BYTE) * np.uint64(MINUTE)
    seconds += numbers >> np.uint64(48) & BYTE
    return seconds.view(np.int64), is_good


def dates_of(begins: Words, ends: Words, parse: Callable[[bytes], int | None]) -> Times:
    """Return the days since 1970 of dates, of which these are the first and the last bytes.

    :param parse: takes the 16 bytes of both
    """
    if not len(begins):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    is_change = (begins[1:] != begins[:-1]) | (ends[1:] != ends[:-1])
    changes = np.flatnonzero(np.append(True, is_change))
    known: dict[tuple[int, int], int | None] = {}
    days = []
    for pair in zip(begins[changes].tolist(), ends[changes].tolist(), strict=True):
        if pair not in known:
            known[pair] = parse(b"".join(number.to_bytes(8, "little") for number in pair))
        days.append(known[pair])
    counts = np.diff(np.append(changes, len(begins)))
    numbers = np.array([day or 0 for day in days], np.int64)
    return np.repeat(numbers, counts), np.repeat([day is not None for day in days], counts)


def to_day(words: bytes) -> int | None:
    """Return the days since 1970 of a date such as 01/Aug/2018: with its colon; None if it is none."""
    text = words[:8] + words[12:]
    day, month, year = text[:2], text[3:6].decode("latin-1"), text[7:11]
    is_written_so = (text[2:3], text[6:7], text[11:12]) == (b"/", b"/", b":") and month in MONTHS
    if not (is_written_so and day.isdigit() and year.isdigit()):
        return None
    return day_number(int(year), MONTHS.index(month) + 1, int(day))


def iso_day(words: bytes) -> int | None:
    """Return the days since 1970 of a date such as 2018-08-01T; None if it is none."""
    text = words[:8] + words[13:]
    year, month, day = text[:4], text[5:7], text[8:10]
    is_written_so = (text[4:5], text[7:8], text[10:11]) == (b"-", b"-", b"T")
    if not (is_written_so and year.isdigit() and month.isdigit() and day.isdigit()):
        return None
    return day_number(int(year), int(month), int(day))


def day_number(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal() - NAIVE_EPOCH.toordinal()
    except ValueError:
        return None


def zones_of(zones: Words, parse: Callable[[bytes], int | None]) -> Times:
    """Return the seconds ahead of UTC of zones; and which are good."""
    if not len(zones):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    if (zones == zones[0]).all():  # as in most logs
        distinct, places = zones[:1], np.zeros(len(zones), np.int64)
    else:
        distinct, places = np.unique(zones, return_inverse=True)
    offsets = [parse(number.tobytes()) for number in distinct]
    seconds = np.array([offset or 0 for offset in offsets], np.int64)
    is_good = np.array([offset is not None for offset in offsets], np.bool_)
    return seconds[places], is_good[places]


def local_offset(text: bytes) -> int | None:
    """Return the seconds ahead of UTC of a zone such as ` +0200`; None if it is none."""
    return to_seconds(text[1:2], text[2:4], text[4:6]) if text[:1] == b" " else None


def iso_offset(text: bytes) -> int | None:
    """Return the seconds ahead of UTC of a zone such as `+02:00`; None if it is none."""
    return to_seconds(text[:1], text[1:3], text[4:6]) if text[3:4] == b":" else None


def to_seconds(sign: bytes, hours: bytes, minutes: bytes) -> int | None:
    """Return the seconds ahead of UTC of an offset; None if it is none."""
    if sign not in {b"+", b"-"} or not (hours + minutes).isdigit():
        return None
    if int(hours) >= ZONE_HOURS or int(minutes) >= MINUTE:
        return None
    seconds = int(hours) * HOUR + int(minutes) * MINUTE
    return -seconds if sign == b"-" else seconds
