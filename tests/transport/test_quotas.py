"""What one account may have of each kind, also when many requests come at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from sqlalchemy import update

from db.database import Database
from db.models import ApiKey
from service.cache import Cache
from service.deps import Deps
from service.security.quotas import Quotas
from tests.support.films import FILM, PATIENT, open_catalogue
from tests.support.http_client import Answer, Client, User
from tests.support.http_server import RunningApp, make_unserved_app, serve
from tests.support.kinopoisk import FakeKinopoisk

QUOTA = 3
PATHS = {"keys": "/keys", "tasks": "/tasks", "favourites": "/movies/favorites"}
KINDS = sorted(PATHS)


@pytest.fixture
def db(committed_db: Database) -> Database:
    """Requests run at once, each on a connection of its own."""
    return committed_db


@pytest.fixture(autouse=True)
async def small_quotas(
    server: RunningApp, deps: Deps, kinopoisk: FakeKinopoisk, cache: Cache
) -> AsyncIterator[Deps]:
    async with open_catalogue(kinopoisk, cache, times=PATIENT) as catalogue:
        small = replace(deps, films=catalogue, quotas=Quotas(QUOTA, QUOTA, QUOTA))
        server.use(small)
        yield small


@pytest.fixture
async def second_worker(small_quotas: Deps, committed_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A connection to another worker, which has a pool of its own."""
    database = Database.connect(committed_url, pool_size=5)
    async with serve(make_unserved_app()) as second:
        second.use(replace(small_quotas, db=database, replica=database))
        async with aiohttp.ClientSession(second.url) as session:
            yield session
    await database.close()


async def add(user: User, kind: str, number: int) -> Answer:
    bodies = {
        "keys": {"name": f"key {number}", "scopes": ["tasks:read"]},
        "tasks": {"title": f"task {number}"},
        "favourites": {"kinopoisk_id": FILM + number},
    }
    return await user.client.post(PATHS[kind], json=bodies[kind])


@pytest.mark.parametrize("kind", KINDS)
async def test_an_account_has_no_more_than_its_quota(user: User, other_user: User, kind: str) -> None:
    for number in range(QUOTA):
        assert (await add(other_user, kind, number)).status == 201
    for number in range(QUOTA):
        assert (await add(user, kind, number)).status == 201
    refusal = await add(user, kind, QUOTA)
    assert (refusal.status, refusal.code) == (409, "quota_exceeded")
    items = (await user.client.get(PATHS[kind])).json["items"]
    assert len(items) == QUOTA
    name = "kinopoisk_id" if kind == "favourites" else "id"
    assert (await user.client.delete(f"{PATHS[kind]}/{items[0][name]}")).status == 204
    assert (await add(user, kind, QUOTA)).status == 201


@pytest.mark.parametrize("kind", KINDS)
async def test_many_at_once_over_two_workers_do_not_exceed_it(
    user: User, second_worker: aiohttp.ClientSession, kind: str
) -> None:
    elsewhere = replace(user, client=Client(second_worker, user.token))
    answers = await asyncio.gather(
        *(add(elsewhere if number % 2 else user, kind, number) for number in range(3 * QUOTA))
    )
    assert sorted(answer.status for answer in answers) == [201] * QUOTA + [409] * 2 * QUOTA


async def test_a_favourite_is_saved_again_beyond_the_quota(user: User) -> None:
    for number in range(QUOTA):
        await add(user, "favourites", number)
    assert (await add(user, "favourites", 0)).status == 200


async def test_a_full_account_looks_no_film_up(user: User, kinopoisk: FakeKinopoisk) -> None:
    for number in range(QUOTA):
        await add(user, "favourites", number)
    kinopoisk.mode = 500
    assert (await add(user, "favourites", QUOTA)).code == "quota_exceeded"


async def test_keys_that_have_expired_do_not_count(user: User, deps: Deps) -> None:
    for number in range(QUOTA):
        await add(user, "keys", number)
    async with deps.db.transaction() as session:
        await session.execute(update(ApiKey).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert (await add(user, "keys", QUOTA)).status == 201


def test_the_quotas_are_these() -> None:
    assert Quotas() == Quotas(keys=50, tasks=10_000, favourites=10_000, streams=20)
