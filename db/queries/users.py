"""What admins see of accounts: their usage and their activity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.merged_visits import select_merged_pages
from db.sql import statement


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account has and has done. Visits are live ones only: the user ids in a log are the shop's."""

    account_id: int
    last_login: datetime | None
    live_sessions: int
    visits: int
    events: int
    tasks: int
    favourites: int


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that an account did. `ref` orders those of one instant."""

    at: datetime
    type: str
    detail: str | None
    ref: str


async def select_usage(session: AsyncSession, account_ids: Sequence[int], *, now: datetime) -> list[Usage]:
    """Select the usage of each of the accounts, in the order of their ids."""
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
    """Select what an account did, newest first."""
    before_at, before_ref = after or (None, None)
    parameters = {
        "account_id": account_id,
        "before_at": before_at,
        "before_ref": before_ref,
        "limit": limit,
        "offset": offset,
    }
    rows = await session.execute(statement("users/user_activity"), parameters)
    activities = [Activity(*row) for row in rows]
    merged = [each.ref.split()[-1] for each in activities if each.type == "visit" and each.detail is None]
    if not merged:
        return activities
    pages = await select_merged_pages(session, merged)
    return [
        replace(each, detail=pages.get(each.ref.split()[-1])) if each.detail is None else each
        for each in activities
    ]
