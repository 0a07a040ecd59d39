"""The imports that the live feed shows: running, or ended or undone a moment ago."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Import

NEWEST = 100  # imports that are looked at


async def select_recent_imports(
    session: AsyncSession, ended_within: timedelta
) -> tuple[datetime, list[Import]]:
    """Select the database's time, and imports that run or have changed within that time, newest first.

    Looks at the newest imports only, so that the cost does not grow with their number.
    """
    newest = select(Import.id).order_by(Import.id.desc()).limit(NEWEST)
    changed_at = func.greatest(Import.finished_at, Import.updated_at)
    is_recent = (Import.status == "running") | (changed_at > func.clock_timestamp() - ended_within)
    clock = select(func.clock_timestamp().label("at")).subquery()
    result = await session.execute(
        select(clock.c.at, Import)
        .select_from(clock)
        .outerjoin(Import, Import.id.in_(newest) & is_recent)
        .order_by(Import.id.desc())
    )
    rows = [(at, record) for at, record in result]
    return rows[0][0], [record for _, record in rows if record is not None]
