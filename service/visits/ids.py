"""Ids of visits: UUIDs that begin with their time in milliseconds, as version 7 does."""

import uuid
from datetime import UTC, datetime

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


def read_log_line_id(visit_id: uuid.UUID) -> tuple[datetime, str] | None:
    """The second and the request key that `log_line_id` made the id of; None if it did not."""
    digits = visit_id.hex
    try:
        occurred_at = datetime.fromtimestamp(int(digits[:12], 16) // 1000, UTC)
        key = bytes.fromhex(digits[13:16] + digits[17:30]).decode("ascii")
    except (ValueError, OverflowError):
        return None
    return (occurred_at, key) if log_line_id(occurred_at, key) == str(visit_id) else None
