import asyncio
from collections.abc import AsyncIterator

import pytest

from service.cache import Cache
from service.errors import NotFound, Unavailable
from service.films.catalogue import FILM_FRESH_FOR, SEARCH_FRESH_FOR, CatalogueTimes, FilmCatalogue
from service.films.gate import LIMITS
from tests.support.eventually import eventually
from tests.support.fake_clock import Clock
from tests.support.films import FILM, KEY, PATIENT, QUICK, open_catalogue
from tests.support.kinopoisk import FakeKinopoisk

SHORTER_THAN_TROUBLE = 15.0  # seconds: a service that hangs does so for 60, one that drips for 20
TROUBLES = [429, 500, 503, "hang", "drip", "huge", "cut", "no json", "list", "redirect"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def catalogue(kinopoisk: FakeKinopoisk, cache: Cache, clock: Clock) -> AsyncIterator[FilmCatalogue]:
    async with open_catalogue(kinopoisk, cache, clock=clock, times=PATIENT) as catalogue:
        yield catalogue


async def test_answers_come_from_the_cache_as_long_as_they_are_fresh(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk, clock: Clock
) -> None:
    film = await catalogue.get_film(FILM)
    assert film == await catalogue.get_film(FILM)
    page = await catalogue.search_films("маяк", 1)
    clock.now += SEARCH_FRESH_FOR - 1
    assert page == await catalogue.search_films("маяк", 1)
    assert len(kinopoisk.calls) == 2
    clock.now += 1
    assert page == await catalogue.search_films("маяк", 1)
    assert len(kinopoisk.calls) == 3
    clock.now += FILM_FRESH_FOR - SEARCH_FRESH_FOR - 1
    await catalogue.get_film(FILM)
    assert len(kinopoisk.calls) == 3
    clock.now += 1
    assert film == await catalogue.get_film(FILM)
    assert len(kinopoisk.calls) == 4


async def test_a_cache_entry_that_can_not_be_read_is_none(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk, cache: Cache
) -> None:
    await catalogue.get_film(FILM)
    [name] = await cache.run("KEYS", "films:*:film:*")
    for junk in ("", "[]", '{"at": 1}', '{"at": 9e99, "value": {"colour": "red"}}'):
        await cache.run("SET", name, junk)
        assert (await catalogue.get_film(FILM)).value.kinopoisk_id == FILM


async def test_equal_look_ups_share_one_call_also_its_failure(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk
) -> None:
    kinopoisk.delay = 0.05
    pages = await asyncio.gather(*(catalogue.search_films("маяк", 1) for _ in range(30)))
    assert len(kinopoisk.calls) == 1
    assert all(page == pages[0] for page in pages)
    kinopoisk.mode = 500
    failures = await asyncio.gather(*(catalogue.get_film(FILM) for _ in range(30)), return_exceptions=True)
    assert len(kinopoisk.calls) == 2
    assert all(isinstance(failure, Unavailable) for failure in failures)


async def test_equal_look_ups_of_two_workers_share_one_call(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk, cache: Cache, clock: Clock
) -> None:
    kinopoisk.delay = 0.05
    async with open_catalogue(kinopoisk, cache, instance="b", clock=clock, times=PATIENT) as other:
        pages = await asyncio.gather(*(each.search_films("маяк", 1) for each in (catalogue, other) * 10))
        films = await asyncio.gather(*(each.get_film(FILM) for each in (catalogue, other) * 10))
    assert len(kinopoisk.calls) == 2
    assert all(page == pages[0] for page in pages)
    assert all(film == films[0] for film in films)


async def test_a_look_up_that_fails_on_one_worker_is_tried_by_the_other(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk, cache: Cache, clock: Clock
) -> None:
    kinopoisk.delay = 0.05
    kinopoisk.mode = "cut"
    async with open_catalogue(kinopoisk, cache, instance="b", clock=clock, times=PATIENT) as other:
        first = asyncio.create_task(catalogue.get_film(FILM))
        await kinopoisk.called.wait()
        second = asyncio.create_task(other.get_film(FILM))
        with pytest.raises(Unavailable):
            await first
        kinopoisk.mode = "ok"
        assert (await second).value.kinopoisk_id == FILM
    assert len(kinopoisk.calls) == 2


async def test_a_look_up_goes_on_when_its_first_caller_goes_away(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk
) -> None:
    kinopoisk.delay = 0.05
    first = asyncio.create_task(catalogue.get_film(FILM))
    second = asyncio.create_task(catalogue.get_film(FILM))
    await asyncio.sleep(0.02)
    first.cancel()
    assert (await second).value.kinopoisk_id == FILM
    assert len(kinopoisk.calls) == 1


@pytest.mark.parametrize("mode", TROUBLES)
async def test_while_kinopoisk_fails_a_stale_film_is_answered_or_an_error_in_time(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk, cache: Cache, clock: Clock, mode: str | int
) -> None:
    fresh = await catalogue.get_film(FILM)
    clock.now += FILM_FRESH_FOR
    kinopoisk.mode = mode
    async with (
        asyncio.timeout(SHORTER_THAN_TROUBLE),
        open_catalogue(kinopoisk, cache, instance="b", clock=clock, times=QUICK) as quick,
    ):
        stale = await quick.get_film(FILM)
        assert (stale.value, stale.is_stale, fresh.is_stale) == (fresh.value, True, False)
        with pytest.raises(Unavailable) as unavailable:
            await quick.search_films("маяк", 1)
    assert unavailable.value.code == "movies_unavailable"
    assert unavailable.value.retry_after


async def test_what_the_service_does_not_know_is_not_found_or_an_empty_page(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk
) -> None:
    kinopoisk.mode = 404
    with pytest.raises(NotFound):
        await catalogue.get_film(FILM)
    page = (await catalogue.search_films("маяк", 1)).value
    assert (page.films, page.next_page) == ((), None)
    kinopoisk.mode = "ok"
    assert (await catalogue.search_films("маяк", 1)).value.films


@pytest.mark.parametrize("status", [401, 402])
async def test_a_refused_key_is_told_in_the_log_and_not_to_the_client(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    kinopoisk.mode = status
    with pytest.raises(Unavailable) as unavailable:
        await catalogue.get_film(FILM)
    assert (unavailable.value.code, unavailable.value.retry_after) == ("movies_unavailable", None)
    assert "KINOPOISK_API_KEY" not in unavailable.value.detail
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "KINOPOISK_API_KEY" in line
    assert KEY not in caplog.text


async def test_after_five_failures_the_service_is_left_alone(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk, cache: Cache
) -> None:
    kinopoisk.mode = 500
    for number in range(LIMITS.threshold):
        with pytest.raises(Unavailable):
            await catalogue.get_film(FILM + number)

    async def has_paused() -> bool:
        return bool(await cache.run("KEYS", "films:*:pause"))

    await eventually(has_paused)
    [pause] = await cache.run("KEYS", "films:*:pause")
    await cache.run("EXPIRE", pause, 3600)  # as if no time went by
    for number in range(5):
        with pytest.raises(Unavailable):
            await catalogue.get_film(FILM + number)
    assert len(kinopoisk.calls) == LIMITS.threshold


async def test_calls_that_get_no_permit_are_told_when_to_try_again(
    kinopoisk: FakeKinopoisk, cache: Cache
) -> None:
    # No permit that one of them gets ends within the window: it lasts a window longer than its call.
    times = CatalogueTimes(answer_within=60.0 + 0.9 * LIMITS.window, permit_within=0.9 * LIMITS.window)
    async with open_catalogue(kinopoisk, cache, times=times) as catalogue:
        results = await asyncio.gather(
            *(catalogue.get_film(FILM + number) for number in range(8)), return_exceptions=True
        )
    errors = [result for result in results if isinstance(result, Unavailable)]
    assert (len(kinopoisk.calls), len(errors)) == (5, 3)
    assert {error.retry_after for error in errors} == {1}


async def test_a_refresh_calls_again_and_is_cached(
    catalogue: FilmCatalogue, kinopoisk: FakeKinopoisk
) -> None:
    await catalogue.get_film(FILM)
    kinopoisk.answer = {"kinopoiskId": FILM, "nameRu": "new"}
    assert (await catalogue.refresh_film(FILM)).name_ru == "new"
    assert (await catalogue.get_film(FILM)).value.name_ru == "new"
    assert len(kinopoisk.calls) == 2
