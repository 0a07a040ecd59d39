"""What waits to be merged: live visits, and parts that are small. Nothing here imports numpy."""

from collections.abc import Collection
from datetime import datetime

from asyncpg import Connection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

BACKLOG = """
    SELECT source, count(*) AS visits
    FROM (
        SELECT source FROM live_visit
        WHERE occurred_at < $1 AND address IS NOT NULL AND source <> ALL($3)
        ORDER BY occurred_at LIMIT $2
    ) AS first
    GROUP BY source
    ORDER BY visits DESC, source
    LIMIT 1
"""
# In order of time; a group ends where it has enough visits.
SMALL_PARTS = """
    SELECT array_agg(id ORDER BY first_at, id) AS ids
    FROM (
        SELECT
            id, import_id, source, host, first_at, visits,
            (sum(visits) OVER (PARTITION BY import_id, source, host ORDER BY first_at, id) - 1)
            / CAST(:large AS bigint) AS number
        FROM visit_part
        WHERE visits < :small
    ) AS part
    GROUP BY import_id, source, host, number
    HAVING count(*) >= :count OR (count(*) > 1 AND sum(visits) >= :large - :small)
    ORDER BY min(first_at)
"""


async def select_backlog(
    raw: Connection, before: datetime, most: int, *, excluding: Collection[str]
) -> tuple[str, int] | None:
    """Return the source that most of the first live visits before a moment have, and how many have it."""
    row = await raw.fetchrow(BACKLOG, before, most, list(excluding))
    return None if row is None else (row["source"], row["visits"])


async def select_small_parts(session: AsyncSession, *, small: int, count: int, large: int) -> list[list[int]]:
    """Return the ids of parts of fewer than `small` visits, in groups of one host each.

    :param count: how many parts a group has at least, unless it has enough visits
    :param large: how many visits a group has at most, but for a small part more
    """
    rows = await session.execute(text(SMALL_PARTS), {"small": small, "count": count, "large": large})
    return [row.ids for row in rows]
