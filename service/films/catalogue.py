"""The film service as use cases see it: cached, called once for equal look-ups, never too often or long."""

import asyncio
import hashlib
import itertools
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import structlog

from clients.film_records import Film, FilmPage
from clients.kinopoisk import FilmUnknown, KeyRefused, Kinopoisk
from clients.upstream import UpstreamError, UpstreamFailed, UpstreamSlow
from service.background import Background
from service.cache import Cache
from service.errors import NotFound, Unavailable
from service.films.cache import DAY, FilmCache, decode_film, decode_page
from service.films.claims import LookupClaims
from service.films.gate import CircuitOpen, UpstreamGate

log = structlog.get_logger("trawl.films")

# Seconds for which a cached answer is fresh.
SEARCH_FRESH_FOR = 60 * 60
FILM_FRESH_FOR = DAY
RETRY_AFTER = 2  # seconds

VERSION = 1  # of the cached values; another version does not read them
UNAVAILABLE = "films can't be looked up right now"
T = TypeVar("T", Film, FilmPage)


@dataclass(frozen=True, slots=True)
class CatalogueTimes:
    """How long a look-up may take, in seconds."""

    answer_within: float = 2.6  # a caller is promised 3, some of which its authentication takes
    permit_within: float = 2.2  # the rest is for the call itself
    fair_call: float = 1.0  # a call with less time than that says nothing of the service when it is slow
    # Of a refresh, for which nobody waits. The call ends before the gate takes it for one of a dead worker.
    refresh_permit_within: float = 60.0
    refresh_call_within: float = 4.0


TIMES = CatalogueTimes()


@dataclass(frozen=True, slots=True)
class LookupResult(Generic[T]):
    """The answer to a look-up. A stale one comes from the cache, as the service can't be called now."""

    value: T
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Lookup(Generic[T]):
    """A film or a page to look up: its key in the cache, and the call that fetches it."""

    key: str
    fresh_for: float  # seconds
    fetch: Callable[..., Awaitable[T]]  # takes `within`, in seconds
    decode: Callable[[Any], T]  # of the cached value
    if_unknown: T | None = None  # the answer where the service knows nothing; None raises NotFound


class FilmCatalogue:
    """Look-ups, each of which ends within `times.answer_within` seconds whatever the service does.

    :param instance: tells this worker's calls from those of all others
    :param workers: how many share the calls of a second while Valkey is away
    """

    def __init__(
        self,
        client: Kinopoisk,
        cache: Cache,
        background: Background,
        *,
        instance: str,
        workers: int = 1,
        clock: Callable[[], float] = time.time,
        times: CatalogueTimes = TIMES,
    ) -> None:
        self._client = client
        self._background = background
        # What one service answers is not what another one would: a demonstration's films stay its own.
        service = hashlib.sha256(client.url.encode()).hexdigest()[:12]
        self._cache = FilmCache(cache, f"films:{VERSION}:{service}", clock=clock)
        self._gate = UpstreamGate(cache, background, f"films:{service}", workers=workers)
        self._claims = LookupClaims(cache, background, f"films:{service}:claim")
        self._call_names = (f"{instance}:{number}" for number in itertools.count())
        self._times = times
        self._in_flight: dict[str, asyncio.Task[Any]] = {}

    async def search_films(self, query: str, page: int) -> LookupResult[FilmPage]:
        """Search for films, of which pages count from 1.

        :raises Unavailable: the service can't be called, and nothing is cached
        """
        fetch = partial(self._client.search_films, query, page)
        empty = FilmPage((), None)
        lookup = Lookup(f"search:{page}:{query}", SEARCH_FRESH_FOR, fetch, decode_page, empty)
        return await self._look_up(lookup)

    async def get_film(self, kinopoisk_id: int) -> LookupResult[Film]:
        """Look a film up.

        :raises NotFound: there is no such film
        :raises Unavailable: the service can't be called, and nothing is cached
        """
        return await self._look_up(self._film_lookup(kinopoisk_id))

    async def refresh_film(self, kinopoisk_id: int) -> Film:
        """Fetch a film past the cache and cache it, at leisure: one call a second is left to others.

        :raises UpstreamError: the service has no such film, or gives no answer
        :raises CircuitOpen: the service has failed too often
        :raises TimeoutError: no permit to call it was free in time
        """
        lookup, times = self._film_lookup(kinopoisk_id), self._times
        film = await self._call(
            lookup,
            permit_within=times.refresh_permit_within,
            call_within=lambda: times.refresh_call_within,
            reserve=1,
        )
        await self._cache.put(lookup.key, film)
        return film

    async def close(self) -> None:
        await self._client.close()

    def _film_lookup(self, kinopoisk_id: int) -> Lookup[Film]:
        fetch = partial(self._client.get_film, kinopoisk_id)
        return Lookup(f"film:{kinopoisk_id}", FILM_FRESH_FOR, fetch, decode_film)

    async def _look_up(self, lookup: Lookup[T]) -> LookupResult[T]:
        """Join the equal look-up in flight, or start one, which goes on even if its callers go away."""
        task: asyncio.Task[LookupResult[T]] | None = self._in_flight.get(lookup.key)
        if task is None:
            task = self._background.spawn(self._run(lookup), name="film look-up")
            self._in_flight[lookup.key] = task
            task.add_done_callback(lambda _: self._in_flight.pop(lookup.key, None))
        return await asyncio.shield(task)

    async def _run(self, lookup: Lookup[T]) -> LookupResult[T]:
        """Answer from the cache if it is fresh, else from the service, else from the cache, however stale."""
        end = time.monotonic() + self._times.answer_within
        entry = await self._cache.get(lookup.key, fresh_for=lookup.fresh_for, decode=lookup.decode)
        if entry is not None and entry.is_fresh:
            return LookupResult(entry.value)
        try:
            return LookupResult(await self._call_once(lookup, end))
        except FilmUnknown:
            if lookup.if_unknown is None:
                raise NotFound("there is no such film") from None
            return LookupResult(lookup.if_unknown)
        except KeyRefused as error:
            raise key_refused_error(error) from None
        except (UpstreamError, CircuitOpen, TimeoutError) as error:
            log.warning("films_unavailable", cause=str(error) or "too many calls", stale=entry is not None)
            if entry is not None:
                return LookupResult(entry.value, is_stale=True)
            raise unavailable_error(error) from None

    async def _call_once(self, lookup: Lookup[T], end: float) -> T:
        """Fetch and cache a value, unless another worker has done so meanwhile."""
        times = self._times
        deadline = end - (times.answer_within - times.permit_within)
        claim = self._claims.hold(
            lookup.key,
            next(self._call_names),
            within=deadline - time.monotonic(),
            longest=times.answer_within,
        )
        async with claim:
            entry = await self._cache.get(lookup.key, fresh_for=lookup.fresh_for, decode=lookup.decode)
            if entry is not None and entry.is_fresh:
                return entry.value
            value = await self._call(
                lookup,
                permit_within=deadline - time.monotonic(),
                call_within=lambda: end - time.monotonic(),
            )
            await self._cache.put(lookup.key, value)
            return value

    async def _call(
        self,
        lookup: Lookup[T],
        *,
        permit_within: float,
        call_within: Callable[[], float],
        reserve: int = 0,
    ) -> T:
        """Wait for a permit, then fetch, and tell the gate how the service did."""
        async with self._gate.acquire(next(self._call_names), within=permit_within, reserve=reserve) as call:
            within = call_within()
            try:
                value = await lookup.fetch(within=within)
            except UpstreamFailed as error:
                if within >= self._times.fair_call or not isinstance(error, UpstreamSlow):
                    call.outcome = "failed"
                raise
            except UpstreamError:
                call.outcome = "answered"
                raise
            call.outcome = "answered"
            return value


def key_refused_error(error: KeyRefused) -> Unavailable:
    """Log the operator's trouble, and make the error that a caller gets, which says nothing of it."""
    log.error(
        "kinopoisk_key_refused", status=error.status, mend=f"the setting KINOPOISK_API_KEY: {error.cause}"
    )
    return Unavailable(UNAVAILABLE, code="movies_unavailable", retry_after=None)


def unavailable_error(error: Exception) -> Unavailable:
    """Make the error of a look-up that failed, with the seconds after which to try again."""
    match error:
        case CircuitOpen():
            retry_after = max(1, math.ceil(error.seconds))
        case TimeoutError():
            retry_after = 1  # others were first; in a second there are new permits
        case _:
            retry_after = RETRY_AFTER
    return Unavailable(UNAVAILABLE, code="movies_unavailable", retry_after=retry_after)
