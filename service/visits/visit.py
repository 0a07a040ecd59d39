"""A visit as it is shown, and the ids of visits: UUIDs that begin with their time in milliseconds."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

RANDOM_BITS = 74


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as it is shown. (timestamp, key) orders visits and tells them apart.

    Its fields are the columns of `visits.sql` and `live_visits.sql`.
    """

    key: str
    timestamp: datetime
    page_url: str
    user_id: int | None
    country: str | None
    source: str
    kind: str
    category: str | None
    product: str | None

    @property
    def id(self) -> str:
        return log_line_id(self.timestamp, self.key) if self.source == "log" else self.key


def new_visit_id(now: datetime, random: int) -> uuid.UUID:
    """Return a UUID of version 7; `random` has RANDOM_BITS bits."""
    milliseconds = int(now.timestamp() * 1000)
    high, low = random >> 62, random & (1 << 62) - 1
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


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
