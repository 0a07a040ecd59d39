"""The film service as the use cases see it: cached, asked once for many, never too often, never for long."""

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
from service.films.cache import DAY, FilmCache, unpack_film, unpack_page
from service.films.gate import GateClosed, UpstreamGate

log = structlog.get_logger("trawl.films")

# Seconds.
SEARCH_LIFE = 60 * 60
FILM_LIFE = DAY
ANSWER_WITHIN = 2.6  # the caller is promised 3, and is first to be admitted
TURN_WITHIN = 2.2  # what is left after it is for the call itself
FAIR_TIME = 1.0  # a call that was given less has not shown that the service fails
RETRY_AFTER = 2
PATIENT_TURN, PATIENT_CALL = 60.0, 4.0  # of a command, which nobody waits for; a call ends before its hold

VERSION = 1  # of what is kept; another one finds nothing
UNAVAILABLE = "films can't be looked up right now"
T = TypeVar("T", Film, FilmPage)


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """`is_stale`: kept from before, as the service can't be asked now."""

    value: T
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Wanted(Generic[T]):
    """Something to look up: where it is kept, for how long it is fresh, and how the service is asked."""

    key: str
    life: float
    ask: Callable[..., Awaitable[T]]  # takes `within`, in seconds
    unpack: Callable[[Any], T]
    if_unknown: T | None = None  # instead of NotFound


class FilmCatalogue:
    """Look-ups, each of which ends within `answer_within` seconds whatever the service does.

    :param instance: tells this worker's calls from those of all others
    :param workers: how many share the calls of a second when Valkey is away
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
        answer_within: float = ANSWER_WITHIN,
        turn_within: float = TURN_WITHIN,
        fair_time: float = FAIR_TIME,
    ) -> None:
        self._client = client
        self._background = background
        # What one service said is not what another one would: a demonstration's films stay its own.
        service = hashlib.sha256(client.url.encode()).hexdigest()[:12]
        self._kept = FilmCache(cache, f"films:{VERSION}:{service}", clock=clock)
        self._gate = UpstreamGate(cache, background, f"films:{service}", workers=workers)
        self._names = (f"{instance}:{number}" for number in itertools.count())
        self._answer_within = answer_within
        self._turn_within = turn_within
        self._fair_time = fair_time
        self._flights: dict[str, asyncio.Task[Any]] = {}

    async def search(self, query: str, page: int) -> Found[FilmPage]:
        """:raises Unavailable: the service can't be asked, and nothing was kept"""
        ask = partial(self._client.search, query, page)
        nothing = FilmPage((), None)
        return await self._look_up(Wanted(f"search:{page}:{query}", SEARCH_LIFE, ask, unpack_page, nothing))

    async def film(self, kinopoisk_id: int) -> Found[Film]:
        """:raises NotFound: there is no such film
        :raises Unavailable: the service can't be asked, and nothing was kept
        """
        return await self._look_up(self._wanted_film(kinopoisk_id))

    async def look_again(self, kinopoisk_id: int) -> Film:
        """Ask the service whatever is kept, with patience, and leave it one call a second for others.

        :raises UpstreamError: it has no such film, or gives no answer
        :raises GateClosed: it has failed too often
        :raises TimeoutError: the turn to ask it did not come
        """
        wanted = self._wanted_film(kinopoisk_id)
        film = await self._call(wanted, turn_within=PATIENT_TURN, call_within=lambda: PATIENT_CALL, spare=1)
        await self._kept.keep(wanted.key, film)
        return film

    async def close(self) -> None:
        await self._client.close()

    def _wanted_film(self, kinopoisk_id: int) -> Wanted[Film]:
        ask = partial(self._client.film, kinopoisk_id)
        return Wanted(f"film:{kinopoisk_id}", FILM_LIFE, ask, unpack_film)

    async def _look_up(self, wanted: Wanted[T]) -> Found[T]:
        """Join the look-up of the same that is under way, or begin one. It goes on if its askers go away."""
        flight: asyncio.Task[Found[T]] | None = self._flights.get(wanted.key)
        if flight is None:
            flight = self._background.spawn(self._fly(wanted), name="film look-up")
            self._flights[wanted.key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(wanted.key, None))
        return await asyncio.shield(flight)

    async def _fly(self, wanted: Wanted[T]) -> Found[T]:
        end = time.monotonic() + self._answer_within
        kept = await self._kept.read(wanted.key, life=wanted.life, unpack=wanted.unpack)
        if kept is not None and kept.is_fresh:
            return Found(kept.value)
        turn_within = end - time.monotonic() - (self._answer_within - self._turn_within)
        try:
            value = await self._call(
                wanted, turn_within=turn_within, call_within=lambda: end - time.monotonic()
            )
        except FilmUnknown:
            if wanted.if_unknown is None:
                raise NotFound("there is no such film") from None
            return Found(wanted.if_unknown)
        except KeyRefused as error:
            raise refused(error) from None
        except (UpstreamError, GateClosed, TimeoutError) as error:
            log.warning("films_unavailable", cause=str(error) or "too many calls", stale=kept is not None)
            if kept is not None:
                return Found(kept.value, is_stale=True)
            raise unavailable(error) from None
        await self._kept.keep(wanted.key, value)
        return Found(value)

    async def _call(
        self, wanted: Wanted[T], *, turn_within: float, call_within: Callable[[], float], spare: int = 0
    ) -> T:
        async with self._gate.turn(next(self._names), within=turn_within, spare=spare) as call:
            within = call_within()
            try:
                value = await wanted.ask(within=within)
            except UpstreamFailed as error:
                if within >= self._fair_time or not isinstance(error, UpstreamSlow):
                    call.outcome = "failed"
                raise
            except UpstreamError:
                call.outcome = "answered"
                raise
            call.outcome = "answered"
            return value


def refused(error: KeyRefused) -> Unavailable:
    """What a caller is told of the operator's trouble; the operator is told by the log."""
    log.error(
        "kinopoisk_key_refused", status=error.status, mend=f"the setting KINOPOISK_API_KEY: {error.cause}"
    )
    return Unavailable(UNAVAILABLE, code="movies_unavailable", retry_after=None)


def unavailable(error: Exception) -> Unavailable:
    match error:
        case GateClosed():
            wait = max(1, math.ceil(error.seconds))
        case TimeoutError():
            wait = 1  # others were before us; the second after has turns again
        case _:
            wait = RETRY_AFTER
    return Unavailable(UNAVAILABLE, code="movies_unavailable", retry_after=wait)
