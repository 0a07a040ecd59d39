"""Live visits that stand in parts: found by their ids, and merged out of rows."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from asyncpg import Connection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.sessions import AnyRow
from db.sql import statement


async def select_merged_time(raw: Connection, visit_id: uuid.UUID) -> datetime | None:
    """Return the time of a visit that stands in a part; None if no such one has the id."""
    at: datetime | None = await raw.fetchval("SELECT occurred_at FROM merged_visit WHERE id = $1", visit_id)
    return at


async def select_merged_visits(session: AsyncSession, request_ids: Sequence[str]) -> Sequence[AnyRow]:
    """Return the visits of these ids that stand in parts: columns of live_visits.sql, address and agent."""
    rows = await session.execute(statement("visits/merged_visits"), {"request_ids": list(request_ids)})
    return rows.all()


async def select_merged_pages(session: AsyncSession, request_ids: Sequence[str]) -> dict[str, str]:
    """Return the URLs of those of the visits that stand in parts, by id."""
    return {row.request_id: row.page_url for row in await select_merged_visits(session, request_ids)}


async def select_pages_of_visits(session: AsyncSession, page_ids: Sequence[int]) -> dict[int, str]:
    """Return the URLs of pages by id."""
    rows = await session.execute(
        text("SELECT id, url FROM page WHERE id = ANY(:ids)"), {"ids": list(page_ids)}
    )
    return dict(rows.all())
