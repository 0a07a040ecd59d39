"""Each user's favourite films, with their details as of the last look-up."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from clients.film_records import Film
from clients.kinopoisk import FilmUnknown, KeyRefused
from clients.upstream import UpstreamError
from clock import Clock
from db.database import Database
from db.models import Favourite
from db.queries import favourites as queries
from db.queries.accounts import lock_owner
from db.queries.favourites import FavouriteRow
from service.errors import NotFound
from service.films.catalogue import FilmCatalogue
from service.films.films import require_catalogue
from service.films.gate import CircuitOpen
from service.security.quotas import check_quota
from service.security.tokens import BadToken

MAX_FAILURES = 5  # in a row, after which a refresh stops


@dataclass(frozen=True, slots=True)
class SavedFavourite:
    """A favourite, and whether it is new. Stale details come from the cache, as the service is away."""

    favourite: Favourite
    is_new: bool
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class RefreshProgress:
    """How far a refresh has come, in films. `unknown` ones are no longer in the catalogue."""

    total: int
    refreshed: int = 0
    unknown: int = 0
    failed: int = 0
    stopped: str | None = None  # why the refresh ended early

    @property
    def done(self) -> int:
        return self.refreshed + self.unknown + self.failed

    @property
    def is_complete(self) -> bool:
        return self.stopped is None and not self.failed


async def add_favourite(
    db: Database,
    catalogue: FilmCatalogue | None,
    user_id: int,
    *,
    quota: int,
    kinopoisk_id: int,
    at: datetime,
) -> SavedFavourite:
    """Save a film with its details. If it is a favourite already, return it without a look-up.

    :raises QuotaExceeded: the user has `quota` favourites
    :raises NotFound: there is no such film
    :raises BadToken: the user has been deleted since its token was checked
    :raises Unavailable: the film can't be looked up, and so is not saved
    """
    async with db.read() as session:
        existing = await queries.select_favourite(session, user_id, kinopoisk_id)
        if existing is not None:
            return SavedFavourite(existing, is_new=False)
        check_quota(await queries.count_favourites(session, user_id), quota, "favourites")
    film = await require_catalogue(catalogue).get_film(kinopoisk_id)
    async with db.transaction() as session:
        if not await lock_owner(session, user_id):  # deleted during the look-up
            raise BadToken
        existing = await queries.select_favourite(session, user_id, kinopoisk_id)
        if existing is not None:
            return SavedFavourite(existing, is_new=False, is_stale=film.is_stale)
        check_quota(await queries.count_favourites(session, user_id), quota, "favourites")
        favourite = await queries.insert_favourite(session, user_id, asdict(film.value), at=at)
    return SavedFavourite(favourite, is_new=True, is_stale=film.is_stale)


async def list_favourites(
    db: Database, user_id: int, *, after: tuple[datetime, int] | None, limit: int, offset: int
) -> list[FavouriteRow]:
    """List a user's favourites, newest first; one more than `limit` if more follow."""
    async with db.raw() as raw:
        return await queries.select_favourites(raw, user_id, after=after, limit=limit + 1, offset=offset)


async def delete_favourite(db: Database, user_id: int, kinopoisk_id: int) -> None:
    """Delete a favourite of a user.

    :raises NotFound: it is none of the user's favourites
    """
    async with db.transaction() as session:
        if not await queries.delete_favourite(session, user_id, kinopoisk_id):
            raise NotFound("this film is not among your favourites")


async def refresh_favourites(
    db: Database,
    catalogue: FilmCatalogue | None,
    *,
    clock: Clock,
    on_progress: Callable[[RefreshProgress], None] = lambda _: None,
) -> RefreshProgress:
    """Look every favourite film up again, those with the oldest details first, and save the new details.

    A film whose look-up fails keeps its details. The refresh stops when the key is refused, or after
    `MAX_FAILURES` failures in a row.

    :raises Unavailable: there is no key to look films up with
    """
    films = require_catalogue(catalogue)
    async with db.read() as session:
        film_ids = await queries.select_film_ids(session)
    progress, failures = RefreshProgress(len(film_ids)), 0
    for film_id in film_ids:
        on_progress(progress)
        try:
            film = await _fetch(films, film_id)
        except KeyRefused as error:
            return replace(progress, stopped=f"mend the setting KINOPOISK_API_KEY: {error.cause}")
        except (UpstreamError, CircuitOpen, TimeoutError):
            progress, failures = replace(progress, failed=progress.failed + 1), failures + 1
            if failures >= MAX_FAILURES:
                return replace(progress, stopped="the film service does not answer; try again later")
        else:
            progress, failures = await _update_details(db, film, progress, at=clock()), 0
    on_progress(progress)
    return progress


async def _fetch(films: FilmCatalogue, film_id: int) -> Film | None:
    """Return the film with its present details; None if it is no longer in the catalogue."""
    try:
        return await films.refresh_film(film_id)
    except FilmUnknown:
        return None


async def _update_details(
    db: Database, film: Film | None, progress: RefreshProgress, *, at: datetime
) -> RefreshProgress:
    """Write a film's details into all users' favourites of it. Return the progress with this film."""
    if film is None:
        return replace(progress, unknown=progress.unknown + 1)
    async with db.transaction() as session:
        await queries.update_favourites(session, asdict(film), at=at)
    return replace(progress, refreshed=progress.refreshed + 1)
