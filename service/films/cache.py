"""Films and pages of films cached in Valkey, beyond the time for which they count as fresh.

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
TTL = 30 * DAY  # seconds; a stale entry is the answer while the service fails
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CacheEntry(Generic[T]):
    """A cached value, and whether it is fresh enough to be the answer while the service works."""

    value: T
    is_fresh: bool


class FilmCache:
    """A cache whose keys in Valkey begin with `name`. While Valkey is away, it is empty and stays so."""

    def __init__(self, cache: Cache, name: str, *, clock: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._name = name
        self._clock = clock

    async def get(self, key: str, *, fresh_for: float, decode: Callable[[Any], T]) -> CacheEntry[T] | None:
        """Return the entry of a key, which is fresh for `fresh_for` seconds; None if there is none."""
        try:
            raw = await self._cache.run("GET", f"{self._name}:{key}")
        except CacheUnavailable:
            return None
        # An entry of another version of Trawl is none.
        with suppress(orjson.JSONDecodeError, KeyError, TypeError):
            entry = orjson.loads(raw or b"")
            return CacheEntry(decode(entry["value"]), self._clock() - entry["at"] < fresh_for)
        return None

    async def put(self, key: str, value: Film | FilmPage) -> None:
        """Store a value as of now."""
        entry = orjson.dumps({"at": self._clock(), "value": value})
        with suppress(CacheUnavailable):
            await self._cache.run("SET", f"{self._name}:{key}", entry, "EX", TTL)


def decode_film(value: Mapping[str, Any]) -> Film:
    lists = {"countries": tuple(value["countries"]), "genres": tuple(value["genres"])}
    return Film(**{**value, **lists})


def decode_page(value: Mapping[str, Any]) -> FilmPage:
    return FilmPage(tuple(map(decode_film, value["films"])), value["next_page"])
