"""Sites, by their number and by their key."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Site


async def insert_site(
    session: AsyncSession, *, key: str, name: str, origins: Sequence[str], created_at: datetime
) -> Site:
    values = {"key": key, "name": name, "origins": list(origins), "created_at": created_at}
    rows = await session.scalars(insert(Site).values(values).returning(Site))
    return rows.one()


async def count_sites(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Site)) or 0


async def select_sites(
    session: AsyncSession, *, after: tuple[int] | None, limit: int, offset: int
) -> list[Site]:
    """Select sites, newest first."""
    query = select(Site).order_by(Site.id.desc()).limit(limit).offset(offset)
    if after is not None:
        query = query.where(Site.id < after[0])
    return list(await session.scalars(query))


async def select_site_origins(session: AsyncSession) -> dict[str, frozenset[str]]:
    """Select the origins of all sites, by the site's key."""
    rows = await session.execute(select(Site.key, Site.origins))
    return {key: frozenset(origins) for key, origins in rows}


async def delete_site(session: AsyncSession, site_id: int) -> bool:
    """Delete a site. Return whether there was one."""
    deleted = await session.scalars(delete(Site).where(Site.id == site_id).returning(Site.id))
    return deleted.one_or_none() is not None
