from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from db.database import Database
from db.models import Account, Favourite
from service.cache import Cache
from service.errors import Unavailable
from service.films.catalogue import FilmCatalogue
from service.films.favourites import MAX_FAILURES, RefreshProgress, refresh_favourites
from tests.support.films import FILM, open_catalogue
from tests.support.kinopoisk import FakeKinopoisk

BEFORE = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 2, 1, tzinfo=UTC)


@pytest.fixture
async def catalogue(kinopoisk: FakeKinopoisk, cache: Cache) -> AsyncIterator[FilmCatalogue]:
    async with open_catalogue(kinopoisk, cache) as catalogue:
        yield catalogue


async def save(db: Database, login: str, *film_ids: int) -> None:
    """A user with favourites whose details are older the later they are named."""
    async with db.transaction() as session:
        account = {"login": login, "login_key": login, "password_hash": "x"}
        account_id = await session.scalar(insert(Account).values(account).returning(Account.id))
        for age, film_id in enumerate(film_ids):
            values: dict[str, Any] = {
                "account_id": account_id,
                "kinopoisk_id": film_id,
                "added_at": BEFORE,
                "refreshed_at": BEFORE - timedelta(days=age),
                "name_ru": "old",
                "countries": [],
                "genres": [],
            }
            await session.execute(insert(Favourite).values(values))


async def favourites(db: Database) -> set[tuple[int, str | None, datetime]]:
    async with db.transaction() as session:
        query = select(Favourite.kinopoisk_id, Favourite.name_ru, Favourite.refreshed_at)
        return {(row[0], row[1], row[2]) for row in await session.execute(query)}


async def test_every_film_is_fetched_once_and_saved_for_all_its_users(
    db: Database, catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk
) -> None:
    await save(db, "a", FILM, FILM + 1)
    await save(db, "b", FILM, 42)
    reports: list[RefreshProgress] = []
    progress = await refresh_favourites(db, catalogue, clock=lambda: NOW, on_progress=reports.append)
    assert progress == RefreshProgress(total=3, refreshed=2, unknown=1)
    assert progress.is_complete
    assert reports[-1] == progress
    assert await favourites(db) == {
        (FILM, "Последний маяк", NOW),
        (FILM + 1, "Сети на рассвете", NOW),
        (42, "old", BEFORE - timedelta(days=1)),
    }
    assert [int(path.rpartition("/")[2]) for path in kinopoisk.calls] == [42, FILM + 1, FILM]


async def test_a_refused_key_stops_the_refresh_and_names_the_setting(
    db: Database, catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk
) -> None:
    await save(db, "a", FILM, FILM + 1)
    kinopoisk.mode = 402
    progress = await refresh_favourites(db, catalogue, clock=lambda: NOW)
    assert "KINOPOISK_API_KEY" in str(progress.stopped)
    assert replace(progress, stopped=None) == RefreshProgress(total=2)
    assert {name for _, name, _ in await favourites(db)} == {"old"}


async def test_it_gives_up_on_a_service_that_fails(
    db: Database, catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk
) -> None:
    await save(db, "a", *range(FILM, FILM + 7))
    kinopoisk.mode = 500
    progress = await refresh_favourites(db, catalogue, clock=lambda: NOW)
    assert (progress.failed, progress.done, progress.is_complete) == (MAX_FAILURES, MAX_FAILURES, False)
    assert progress.stopped


async def test_without_a_key_it_says_so(db: Database) -> None:
    with pytest.raises(Unavailable, match="KINOPOISK_API_KEY"):
        await refresh_favourites(db, None, clock=lambda: NOW)
