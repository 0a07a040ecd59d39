"""Favourite films. `film` is the details of a film by column."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Connection
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Favourite


@dataclass(frozen=True, slots=True)
class FavouriteRow:
    """A favourite film as a list shows it."""

    kinopoisk_id: int
    added_at: datetime
    refreshed_at: datetime
    imdb_id: str | None
    name_ru: str | None
    name_en: str | None
    name_original: str | None
    year: int | None
    length_minutes: int | None
    type: str | None
    description: str | None
    poster_url: str | None
    rating_kinopoisk: float | None
    rating_imdb: float | None
    countries: list[str]
    genres: list[str]
    web_url: str | None


FAVOURITES = f"""
    SELECT {", ".join(FavouriteRow.__slots__)}
    FROM favourite
    WHERE account_id = $1 {{}}
    ORDER BY added_at DESC, kinopoisk_id DESC
    LIMIT $2 OFFSET $3
"""  # noqa: S608 - made of the constants above


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
    raw: Connection,
    account_id: int,
    *,
    after: tuple[datetime, int] | None,
    limit: int,
    offset: int,
) -> list[FavouriteRow]:
    """Select an account's favourites, newest first. It goes past SQLAlchemy, at a third of the cost."""
    sql = FAVOURITES.format("" if after is None else "AND (added_at, kinopoisk_id) < ($4, $5)")
    rows = await raw.fetch(sql, account_id, limit, offset, *(after or ()))
    return [FavouriteRow(*row) for row in rows]


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
