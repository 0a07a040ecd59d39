"""Films and pages of films kept in Valkey, beyond the time that they count as fresh.

An entry is `{"at": seconds since 1970, "value": …}`.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

from clients.film_records import Film, FilmPage
from service.cache import Cache, CacheUnavailable

DAY = 24 * 60 * 60
STALE_LIFE = 30 * DAY  # seconds for which an entry is kept for when the service fails
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    value: T
    is_fresh: bool


class FilmCache:
    """Its keys in Valkey begin with `name`. With Valkey away there is nothing, and nothing is kept."""

    def __init__(self, cache: Cache, name: str, *, clock: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._name = name
        self._clock = clock

    async def read(self, key: str, *, life: float, unpack: Callable[[Any], T]) -> Kept[T] | None:
        """What was kept under the key; it is fresh for `life` seconds."""
        try:
            raw = await self._cache.run("GET", f"{self._name}:{key}")
        except CacheUnavailable:
            return None
        # An entry of another version of Trawl is none.
        with suppress(orjson.JSONDecodeError, KeyError, TypeError):
            entry = orjson.loads(raw or b"")
            return Kept(unpack(entry["value"]), self._clock() - entry["at"] < life)
        return None

    async def keep(self, key: str, value: Film | FilmPage) -> None:
        entry = orjson.dumps({"at": self._clock(), "value": value})
        with suppress(CacheUnavailable):
            await self._cache.run("SET", f"{self._name}:{key}", entry, "EX", STALE_LIFE)


def unpack_film(value: Mapping[str, Any]) -> Film:
    lists = {"countries": tuple(value["countries"]), "genres": tuple(value["genres"])}
    return Film(**{**value, **lists})


def unpack_page(value: Mapping[str, Any]) -> FilmPage:
    return FilmPage(tuple(map(unpack_film, value["films"])), value["next_page"])
