import asyncio
from collections.abc import AsyncIterator

import pytest

from clients.kinopoisk import FilmUnknown, KeyRefused, Kinopoisk
from clients.upstream import UpstreamError, UpstreamFailed, UpstreamRefused, UpstreamSlow
from tests.support.films import FILM, KEY
from tests.support.kinopoisk import FakeKinopoisk
from tests.support.processes import PATIENCE

WITHIN = 0.3  # seconds


@pytest.fixture
async def client(kinopoisk: FakeKinopoisk) -> AsyncIterator[Kinopoisk]:
    client = Kinopoisk(f"{kinopoisk.url}/", KEY)
    yield client
    await client.close()


async def test_both_routes_tell_of_the_same_film(client: Kinopoisk, kinopoisk: FakeKinopoisk) -> None:
    page = await client.search_films("маяк & lighthouse", 1, within=5)
    assert page.films == ()
    page = await client.search_films("МАЯК", 1, within=5)
    film = await client.get_film(FILM, within=5)
    [listed] = page.films
    for name in ("kinopoisk_id", "name_ru", "year", "length_minutes", "rating_kinopoisk", "genres"):
        assert getattr(listed, name) == getattr(film, name)
    assert (film.length_minutes, film.rating_imdb, film.name_original) == (104, 7.9, "The Last Lighthouse")
    assert kinopoisk.keys == {KEY}


async def test_pages_of_a_search_are_joined_by_their_numbers(client: Kinopoisk) -> None:
    first, second = [await client.search_films("e", number, within=5) for number in (1, 2)]
    assert (len(first.films), first.next_page, second.next_page) == (20, 2, None)
    assert not {film.kinopoisk_id for film in first.films} & {film.kinopoisk_id for film in second.films}


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        (404, FilmUnknown),
        (401, KeyRefused),
        (402, KeyRefused),
        (400, UpstreamRefused),
        (429, UpstreamFailed),
        (500, UpstreamFailed),
        ("redirect", UpstreamFailed),
        ("huge", UpstreamFailed),
        ("cut", UpstreamFailed),
        ("no json", UpstreamFailed),
        ("list", UpstreamFailed),
        ("hang", UpstreamSlow),
        ("drip", UpstreamSlow),
    ],
)
async def test_every_trouble_has_its_error_in_time(
    client: Kinopoisk, kinopoisk: FakeKinopoisk, mode: str | int, error: type[UpstreamError]
) -> None:
    kinopoisk.mode = mode
    within = WITHIN if error is UpstreamSlow else PATIENCE
    # A service that hangs does so for 60 s, one that drips for 20.
    with pytest.raises(error) as raised:
        async with asyncio.timeout(15 if error is UpstreamSlow else None):
            await client.get_film(FILM, within=within)
    assert type(raised.value) is error
    assert KEY not in str(raised.value)
    assert len(kinopoisk.calls) == 1


async def test_an_answer_without_an_id_is_no_film(client: Kinopoisk, kinopoisk: FakeKinopoisk) -> None:
    kinopoisk.answer = {"message": "sorry"}
    with pytest.raises(UpstreamFailed):
        await client.get_film(FILM, within=5)


async def test_a_service_that_is_not_there_fails() -> None:
    client = Kinopoisk("http://127.0.0.1:1", KEY)
    with pytest.raises(UpstreamFailed):
        await client.get_film(FILM, within=5)
    await client.close()
    await asyncio.sleep(0)
