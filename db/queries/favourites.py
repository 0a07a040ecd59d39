"""Favourite films. `film` is the details of a film by column."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Favourite


async def insert_favourite(
    session: AsyncSession, account_id: int, film: Mapping[str, Any], *, at: datetime
) -> Favourite:
    rows = await session.scalars(
        insert(Favourite)
        .values(**film, account_id=account_id, added_at=at, refreshed_at=at)
        .returning(Favourite)
    )
    return rows.one()


async def count_favourites(session: AsyncSession, account_id: int) -> int:
    return await session.scalar(select(func.count()).where(Favourite.account_id == account_id)) or 0


async def select_favourite(session: AsyncSession, account_id: int, kinopoisk_id: int) -> Favourite | None:
    return await session.scalar(
        select(Favourite).where(Favourite.account_id == account_id, Favourite.kinopoisk_id == kinopoisk_id)
    )


async def select_favourites(
    session: AsyncSession,
    account_id: int,
    *,
    after: tuple[datetime, int] | None,
    limit: int,
    offset: int,
) -> list[Favourite]:
    """Select an account's favourites, newest first."""
    query = (
        select(Favourite)
        .where(Favourite.account_id == account_id)
        .order_by(Favourite.added_at.desc(), Favourite.kinopoisk_id.desc())
        .limit(limit)
        .offset(offset)
    )
    if after is not None:
        query = query.where(tuple_(Favourite.added_at, Favourite.kinopoisk_id) < tuple_(*after))
    return list(await session.scalars(query))


async def delete_favourite(session: AsyncSession, account_id: int, kinopoisk_id: int) -> bool:
    """Delete a favourite of an account. Return whether there was one."""
    deleted_id = await session.scalar(
        delete(Favourite)
        .where(Favourite.account_id == account_id, Favourite.kinopoisk_id == kinopoisk_id)
        .returning(Favourite.kinopoisk_id)
    )
    return deleted_id is not None


async def select_film_ids(session: AsyncSession) -> list[int]:
    """Select each film that is anybody's favourite, those with the oldest details first."""
    film_id = Favourite.kinopoisk_id
    query = select(film_id).group_by(film_id).order_by(func.min(Favourite.refreshed_at), film_id)
    return list(await session.scalars(query))


async def update_favourites(session: AsyncSession, film: Mapping[str, Any], *, at: datetime) -> None:
    """Update the details of all favourites of a film."""
    await session.execute(
        update(Favourite)
        .where(Favourite.kinopoisk_id == film["kinopoisk_id"])
        .values(**film, refreshed_at=at)
        .execution_options(synchronize_session=False)
    )
