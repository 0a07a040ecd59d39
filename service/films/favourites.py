"""Each user's favourite films, with their details as they were last looked up."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from clients.film_records import Film
from clients.kinopoisk import FilmUnknown, KeyRefused
from clients.upstream import UpstreamError
from db.database import Database
from db.models import Favourite
from db.queries import favourites as queries
from db.queries.accounts import lock_account
from service.errors import NotFound
from service.films.catalogue import FilmCatalogue
from service.films.films import configured
from service.films.gate import GateClosed

GIVE_UP_AFTER = 5  # failures in a row


@dataclass(frozen=True, slots=True)
class Added:
    """A favourite that is there now. `is_stale`: its details were kept from before, the service is away."""

    favourite: Favourite
    is_new: bool
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Refreshing:
    """How far a refresh has come, in films. `unknown` ones are no longer in the catalogue."""

    total: int
    refreshed: int = 0
    unknown: int = 0
    failed: int = 0
    stopped: str | None = None  # why it did not go on

    @property
    def done(self) -> int:
        return self.refreshed + self.unknown + self.failed

    @property
    def is_complete(self) -> bool:
        return self.stopped is None and not self.failed


async def add_favourite(
    db: Database, catalogue: FilmCatalogue | None, user_id: int, *, kinopoisk_id: int, at: datetime
) -> Added:
    """Save a film with its details. One that is a favourite already stays as it is, and nobody is asked.

    :raises NotFound: there is no such film
    :raises Unavailable: it can't be looked up, and so is not saved
    """
    async with db.read() as session:
        known = await queries.select_favourite(session, user_id, kinopoisk_id)
    if known is not None:
        return Added(known, is_new=False)
    found = await configured(catalogue).film(kinopoisk_id)
    async with db.transaction() as session:
        if await lock_account(session, user_id) is None:  # deleted while the film was looked up
            raise NotFound(f"no user {user_id}")
        added = await queries.insert_favourite(session, user_id, asdict(found.value), at=at)
        favourite = added or await queries.select_favourite(session, user_id, kinopoisk_id)
        assert favourite is not None  # the account is locked, so nobody deletes it meanwhile
    return Added(favourite, is_new=added is not None, is_stale=found.is_stale)


async def list_favourites(
    db: Database, user_id: int, *, after: tuple[datetime, int] | None, limit: int, offset: int
) -> list[Favourite]:
    """Newest first; one more than `limit` if more follow."""
    async with db.read() as session:
        return await queries.select_favourites(session, user_id, after=after, limit=limit + 1, offset=offset)


async def delete_favourite(db: Database, user_id: int, kinopoisk_id: int) -> None:
    """:raises NotFound: it is none of the user's favourites"""
    async with db.transaction() as session:
        if not await queries.delete_favourite(session, user_id, kinopoisk_id):
            raise NotFound("this film is none of your favourites")


async def refresh_favourites(
    db: Database,
    catalogue: FilmCatalogue | None,
    *,
    clock: Callable[[], datetime],
    on_progress: Callable[[Refreshing], None] = lambda _: None,
) -> Refreshing:
    """Look every favourite film up again, those first that have waited longest, and save what is told.

    What fails keeps its details. It stops when the key is refused, or after `GIVE_UP_AFTER` failures running.

    :raises Unavailable: there is no key
    """
    films = configured(catalogue)
    async with db.read() as session:
        film_ids = await queries.select_film_ids(session)
    state, failures = Refreshing(len(film_ids)), 0
    for film_id in film_ids:
        on_progress(state)
        try:
            film = await films.look_again(film_id)
        except FilmUnknown:
            state, failures = replace(state, unknown=state.unknown + 1), 0
        except KeyRefused as error:
            return replace(state, stopped=f"mend the setting KINOPOISK_API_KEY: {error.cause}")
        except (UpstreamError, GateClosed, TimeoutError):
            state, failures = replace(state, failed=state.failed + 1), failures + 1
            if failures >= GIVE_UP_AFTER:
                return replace(state, stopped="the film service does not answer; try again later")
        else:
            await save_film(db, film, at=clock())
            state, failures = replace(state, refreshed=state.refreshed + 1), 0
    on_progress(state)
    return state


async def save_film(db: Database, film: Film, *, at: datetime) -> None:
    """Put new details into all favourites of a film."""
    async with db.transaction() as session:
        await queries.update_favourites(session, asdict(film), at=at)
