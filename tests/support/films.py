"""What tests of films need: the service's stand-in, and a catalogue that asks it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from clients.kinopoisk import Kinopoisk
from service.background import Background
from service.cache import Cache
from service.deps import Deps
from service.films.catalogue import FilmCatalogue
from tests.support.http_server import RunningApp
from tests.support.kinopoisk import FakeKinopoisk

KEY = "the-key-of-the-tests"
FILM = 9_000_001
# The real ones are ten times as long.
QUICK: dict[str, Any] = {"answer_within": 0.26, "turn_within": 0.22, "fair_time": 0.1}


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
