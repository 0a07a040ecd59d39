"""The ids of log lines, one at a time: what db/visit_ids.py does for many at once."""

import uuid
from datetime import datetime

from calendar_days import microseconds
from service.visits.ids import KEY_BITS, TIME_BITS, VERSION

VARIANT = 0b10


def log_line_id(occurred_at: datetime, key: int) -> uuid.UUID:
    """Return the id of a log line."""
    time = microseconds(occurred_at)
    middle = (time & (1 << TIME_BITS) - 1) << 1 | key >> KEY_BITS
    low = VARIANT << KEY_BITS | key & (1 << KEY_BITS) - 1
    return uuid.UUID(int=time >> TIME_BITS << 80 | VERSION << 76 | middle << 64 | low)
