"""The imports that are worth watching: under way, or just ended."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Import

NEWEST = 100  # imports that are looked through


async def select_recent_imports(
    session: AsyncSession, ended_within: timedelta
) -> tuple[datetime, list[Import]]:
    """The database's time, and the imports that run or have ended so lately, newest first.

    Only the newest are looked at, so that it costs the same however many there have been.
    """
    newest = select(Import.id).order_by(Import.id.desc()).limit(NEWEST)
    shown = (Import.status == "running") | (Import.finished_at > func.clock_timestamp() - ended_within)
    clock = select(func.clock_timestamp().label("at")).subquery()
    rows = await session.execute(
        select(clock.c.at, Import)
        .select_from(clock)
        .outerjoin(Import, Import.id.in_(newest) & shown)
        .order_by(Import.id.desc())
    )
    found = [(at, record) for at, record in rows]
    return found[0][0], [record for _, record in found if record is not None]
