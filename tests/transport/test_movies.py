import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.cache import Cache
from service.deps import Deps
from service.films.catalogue import FILM_FRESH_FOR
from tests.support.fake_clock import Clock
from tests.support.films import FILM, PATIENT, open_catalogue, serve_films
from tests.support.http_client import Answer, User
from tests.support.http_server import RunningApp
from tests.support.kinopoisk import FakeKinopoisk

FIELDS = {
    *("kinopoisk_id", "imdb_id", "name_ru", "name_en", "name_original", "year", "length_minutes", "type"),
    *("description", "poster_url", "rating_kinopoisk", "rating_imdb", "countries", "genres", "web_url"),
}
MISSING = 42


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
async def films(
    server: RunningApp, deps: Deps, kinopoisk: FakeKinopoisk, cache: Cache, clock: Clock
) -> AsyncIterator[None]:
    """Serve films of the fake Kinopoisk."""
    async with open_catalogue(kinopoisk, cache, clock=clock, times=PATIENT) as catalogue:
        serve_films(server, deps, catalogue)
        yield


async def add(user: User, film_id: int = FILM) -> Answer:
    return await user.client.post("/movies/favorites", json={"kinopoisk_id": film_id})


async def favourites(user: User, query: str = "") -> list[int]:
    answer = await user.client.get(f"/movies/favorites{query}")
    return [item["kinopoisk_id"] for item in answer.json["items"]]


async def test_a_search_answers_as_lists_do_page_by_page(user: User) -> None:
    first = await user.client.get("/movies/search?query=e")
    assert first.status == 200
    assert first.json.keys() == {"items", "next"}
    assert (len(first.json["items"]), first.json["next"]) == (20, 2)
    assert all(item.keys() == FIELDS for item in first.json["items"])
    assert first.headers["Link"] == '</movies/search?query=e&page=2>; rel="next"'
    second = await user.client.get("/movies/search?query=e&page=2")
    assert (second.json["next"], "Link" in second.headers) == (None, False)
    assert not {str(item) for item in first.json["items"]} & {str(item) for item in second.json["items"]}


async def test_a_film_is_shown_with_all_that_is_known(user: User) -> None:
    answer = await user.client.get(f"/api/v1/movies/{FILM}")
    film = answer.json
    assert (answer.status, film.keys()) == (200, FIELDS)
    assert (film["year"], film["length_minutes"], film["genres"]) == (1987, 104, ["драма"])
    assert (film["name_en"], film["name_original"]) == (None, "The Last Lighthouse")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "/query"),
        ("query=", "/query"),
        ("query=%20", "/query"),
        (f"query={'a' * 201}", "/query"),
        ("query=%00", "/query"),
        ("query=a&page=0", "/page"),
        ("query=a&page=1001", "/page"),
        ("query=a&page=1.0", "/page"),
        ("query=a&limit=5", "/limit"),
    ],
)
async def test_a_search_refuses_what_it_does_not_take(
    user: User, kinopoisk: FakeKinopoisk, query: str, pointer: str
) -> None:
    answer = await user.client.get(f"/movies/search?{query}")
    assert (answer.status, answer.pointers) == (422, [pointer])
    assert kinopoisk.calls == []


@pytest.mark.parametrize("film_id", ["0", "-1", "1.5", str(2**63), "x"])
async def test_what_is_no_id_has_no_path(user: User, kinopoisk: FakeKinopoisk, film_id: str) -> None:
    assert (await user.client.get(f"/movies/{film_id}")).status == 404
    assert kinopoisk.calls == []


async def test_kinopoisks_trouble_is_told_without_its_cause(user: User, kinopoisk: FakeKinopoisk) -> None:
    assert (await user.client.get(f"/movies/{MISSING}")).code == "not_found"
    for status, may_retry in ((401, False), (402, False), (429, True)):
        kinopoisk.mode = status
        answer = await user.client.get(f"/movies/{FILM}")
        assert (answer.status, answer.code) == (503, "movies_unavailable")
        assert ("Retry-After" in answer.headers) == may_retry
        assert b"key" not in answer.body.lower()


async def test_a_search_that_kinopoisk_does_not_know_finds_nothing(
    user: User, kinopoisk: FakeKinopoisk
) -> None:
    kinopoisk.mode = 404
    answer = await user.client.get("/movies/search?query=a")
    assert (answer.status, answer.json) == (200, {"items": [], "next": None})


async def test_a_stale_answer_comes_with_a_warning(
    user: User, kinopoisk: FakeKinopoisk, clock: Clock
) -> None:
    paths = [f"/movies/{FILM}", "/movies/search?query=e"]
    fresh = [await user.client.get(path) for path in paths]
    clock.now += FILM_FRESH_FOR
    kinopoisk.mode = "cut"
    for path, before in zip(paths, fresh, strict=True):
        stale = await user.client.get(path)
        assert (stale.status, stale.json) == (200, before.json)
        assert stale.headers["Warning"] == '110 - "Response is Stale"'
        assert "Warning" not in before.headers
    assert (await add(user)).headers["Warning"] == '110 - "Response is Stale"'


async def test_a_favourite_keeps_its_details_and_is_listed_without_a_call(
    user: User, kinopoisk: FakeKinopoisk
) -> None:
    first = await add(user)
    assert (first.status, first.json.keys()) == (201, FIELDS | {"added_at", "refreshed_at"})
    assert first.headers["Location"] == f"/movies/{FILM}"
    kinopoisk.mode = 500
    calls = len(kinopoisk.calls)
    again = await add(user)
    assert (again.status, again.json) == (200, first.json)
    favourites = await user.client.get("/movies/favorites")
    assert favourites.json == {"items": [first.json], "next": None}
    assert len(kinopoisk.calls) == calls


@pytest.mark.parametrize(("mode", "film_id", "status"), [("ok", MISSING, 404), (500, FILM, 503)])
async def test_what_can_not_be_looked_up_is_not_saved(
    user: User, kinopoisk: FakeKinopoisk, mode: str | int, film_id: int, status: int
) -> None:
    kinopoisk.mode = mode
    assert (await add(user, film_id)).status == status
    assert await favourites(user) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/kinopoisk_id"),
        ({"kinopoisk_id": "1.0"}, "/kinopoisk_id"),
        ({"kinopoisk_id": "0"}, "/kinopoisk_id"),
        ({"kinopoisk_id": None}, "/kinopoisk_id"),
        ({"kinopoisk_id": 0}, "/kinopoisk_id"),
        ({"kinopoisk_id": 2**63}, "/kinopoisk_id"),
        ({"kinopoisk_id": FILM, "note": "x"}, "/note"),
    ],
)
async def test_a_favourite_is_named_by_its_id_alone(user: User, body: dict[str, Any], pointer: str) -> None:
    answer = await user.client.post("/movies/favorites", json=body)
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_favourites_of_others_can_neither_be_seen_nor_guessed(user: User, other_user: User) -> None:
    await add(other_user)
    assert await favourites(user) == []
    others = await user.client.delete(f"/movies/favorites/{FILM}")
    nobodys = await user.client.delete(f"/movies/favorites/{FILM + 1}")
    for answer in (others, nobodys):
        assert (answer.status, answer.code) == (404, "not_found")
    assert others.json["detail"] == nobodys.json["detail"]
    assert (await add(user)).status == 201
    assert (await user.client.delete(f"/movies/favorites/{FILM}")).status == 204
    assert (await user.client.delete(f"/movies/favorites/{FILM}")).status == 404
    assert (await favourites(user), await favourites(other_user)) == ([], [FILM])


async def test_pages_of_favourites_join_newest_first(user: User, other_user: User) -> None:
    await add(other_user, FILM + 4)
    for number in (1, 0, 2):
        await add(user, FILM + number)
    newest_first = [FILM + 2, FILM, FILM + 1]
    assert await favourites(user) == newest_first
    first = (await user.client.get("/movies/favorites?limit=2")).json
    rest = await favourites(user, f"?limit=2&cursor={first['next']}")
    assert [item["kinopoisk_id"] for item in first["items"]] + rest == newest_first
    assert await favourites(user, "?offset=1") == newest_first[1:]


async def test_without_a_key_favourites_can_still_be_seen_and_deleted(
    user: User, server: RunningApp, deps: Deps
) -> None:
    await add(user)
    serve_films(server, deps, None)
    for answer in (
        await user.client.get("/movies/search?query=a"),
        await user.client.get(f"/movies/{FILM}"),
        await add(user, FILM + 1),
    ):
        assert (answer.status, answer.code) == (503, "movies_not_configured")
    assert (await add(user)).status == 200
    assert await favourites(user) == [FILM]
    assert (await user.client.delete(f"/movies/favorites/{FILM}")).status == 204


async def test_admins_see_how_many_favourites_and_when(user: User, other_user: User, admin: User) -> None:
    for number in range(2):
        await add(user, FILM + number)
    await add(other_user)
    items = {item["login"]: item for item in (await admin.client.get("/admin/users")).json["items"]}
    assert (items["Anna"]["favourites"], items["Boris"]["favourites"], items["Root"]["favourites"]) == (
        2,
        1,
        0,
    )
    path = f"/admin/users/{user.id}/activity"
    activity = (await admin.client.get(path)).json["items"]
    expected = [("favourite_added", str(FILM + 1)), ("favourite_added", str(FILM))]
    assert [(item["type"], item["detail"]) for item in activity] == expected
    first = (await admin.client.get(f"{path}?limit=1")).json
    second = (await admin.client.get(f"{path}?limit=1&cursor={first['next']}")).json
    assert first["items"] + second["items"] == activity


async def test_the_favourites_of_a_deleted_user_are_gone(user: User, kinopoisk: FakeKinopoisk) -> None:
    kinopoisk.delay = 0.1
    adding = asyncio.create_task(add(user))
    await asyncio.wait_for(kinopoisk.called.wait(), 5)
    assert (await user.client.delete("/profile")).status == 204
    answer = await adding
    assert (answer.status, answer.code) == (401, "bad_token")
