"""What tests of films need: a catalogue that calls the stand-in of the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from clients.kinopoisk import Kinopoisk
from service.background import Background
from service.cache import Cache
from service.deps import Deps
from service.films.catalogue import CatalogueTimes, FilmCatalogue
from tests.support.http_server import RunningApp
from tests.support.kinopoisk import FakeKinopoisk

KEY = "the-key-of-the-tests"
FILM = 9_000_001
PATIENT = CatalogueTimes(answer_within=120.0, permit_within=60.0, fair_call=0.1)
# A tenth of the real times: for tests of a service that does not answer.
QUICK = CatalogueTimes(answer_within=0.26, permit_within=0.22, fair_call=0.1)


@asynccontextmanager
async def open_catalogue(
    fake: FakeKinopoisk, cache: Cache, *, instance: str = "a", **options: Any
) -> AsyncIterator[FilmCatalogue]:
    background = Background()
    catalogue = FilmCatalogue(Kinopoisk(fake.url, KEY), cache, background, instance=instance, **options)
    yield catalogue
    await background.close()
    await catalogue.close()


def serve_films(server: RunningApp, deps: Deps, catalogue: FilmCatalogue | None) -> None:
    server.use(replace(deps, films=catalogue))
