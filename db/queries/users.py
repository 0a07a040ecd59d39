"""What admins see of accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.sql import statement


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account has and has done. Visits are live ones: a log's user numbers are the shop's."""

    account_id: int
    last_login: datetime | None
    live_sessions: int
    visits: int
    events: int
    tasks: int
    favourites: int


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that an account did. `ref` tells those of one instant apart."""

    at: datetime
    type: str
    detail: str | None
    ref: str


async def select_usage(session: AsyncSession, account_ids: Sequence[int], *, now: datetime) -> list[Usage]:
    rows = await session.execute(
        statement("users/user_usage"), {"account_ids": list(account_ids), "now": now}
    )
    return [Usage(*row) for row in rows]


async def select_activity(
    session: AsyncSession,
    account_id: int,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
    offset: int,
) -> list[Activity]:
    """Newest first."""
    before_at, before_ref = after or (None, None)
    parameters = {
        "account_id": account_id,
        "before_at": before_at,
        "before_ref": before_ref,
        "limit": limit,
        "offset": offset,
    }
    rows = await session.execute(statement("users/user_activity"), parameters)
    return [Activity(*row) for row in rows]
