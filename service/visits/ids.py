"""Ids of log lines: UUIDs made of their time and key, so that each line always has the same one."""

import uuid
from datetime import UTC, datetime


def log_line_id(occurred_at: datetime, request_key: str) -> str:
    """Return the id of a log line: a UUID of version 8 made of its second and its 8 characters."""
    key = request_key.encode().hex().ljust(18, "0")
    time = f"{int(occurred_at.timestamp()) * 1000:012x}"
    return f"{time[:8]}-{time[8:]}-8{key[:3]}-8{key[3:6]}-{key[6:]}"


def parse_log_line_id(visit_id: uuid.UUID) -> tuple[datetime, str] | None:
    """Return the second and the request key of a log line's id; None if the id is no such one."""
    digits = visit_id.hex
    try:
        occurred_at = datetime.fromtimestamp(int(digits[:12], 16) // 1000, UTC)
        key = bytes.fromhex(digits[13:16] + digits[17:30]).decode("ascii")
    except (ValueError, OverflowError):
        return None
    return (occurred_at, key) if log_line_id(occurred_at, key) == str(visit_id) else None
