"""Ids of visits: UUIDs that begin with their time in milliseconds, as version 7 does."""

import uuid
from datetime import datetime

RANDOM_BITS = 74


def new_visit_id(now: datetime, random: int) -> uuid.UUID:
    """A UUID of version 7; `random` has RANDOM_BITS bits."""
    milliseconds = int(now.timestamp() * 1000)
    high, low = random >> 62, random & (1 << 62) - 1
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def log_line_id(occurred_at: datetime, request_key: str) -> str:
    """The id of a log line, always the same: a UUID of version 8 made of its second and its 8 characters."""
    key = request_key.encode().hex().ljust(18, "0")
    time = f"{int(occurred_at.timestamp()) * 1000:012x}"
    return f"{time[:8]}-{time[8:]}-8{key[:3]}-8{key[3:6]}-{key[6:]}"
