"""Ids of log lines: UUIDs of version 8 made of time and key, so that each line always has the same one.

Their order is that of (time, key): 48 bits of the microseconds since 1970, the version, the other 11 and the
first bit of the key, the variant, 62 bits of the key.
"""

import uuid
from datetime import UTC, datetime

from calendar_days import instant, microseconds

LAST_MICROSECOND = microseconds(datetime.max.replace(tzinfo=UTC))
TIME_BITS, KEY_BITS = 11, 62  # of time and key those that stand behind the version, and behind the variant
VERSION = 8


def parse_log_line_id(visit_id: uuid.UUID) -> tuple[int, int] | None:
    """Return the microseconds since 1970 and the key of a log line's id; None if the id is no such one."""
    if visit_id.version != VERSION:
        return None
    middle = visit_id.int >> 64 & (1 << TIME_BITS + 1) - 1
    time = visit_id.int >> 80 << TIME_BITS | middle >> 1
    return time, (middle & 1) << KEY_BITS | visit_id.int & (1 << KEY_BITS) - 1


def log_line_time(visit_id: uuid.UUID) -> datetime | None:
    """Return the time of a log line with this id; None if no log line can have it."""
    key = parse_log_line_id(visit_id)
    if key is None or key[0] > LAST_MICROSECOND:
        return None
    return instant(key[0])
