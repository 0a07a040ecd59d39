"""Films, looked up in the catalogue if there is one."""

from clients.film_records import Film, FilmPage
from service.errors import Unavailable
from service.films.catalogue import FilmCatalogue, LookupResult


async def search_films(catalogue: FilmCatalogue | None, *, query: str, page: int) -> LookupResult[FilmPage]:
    """Return a page of the films that match the query. Pages count from 1.

    :raises Unavailable: there is no key to look films up with, or the service can't be called
    """
    return await require_catalogue(catalogue).search_films(query, page)


async def get_film(catalogue: FilmCatalogue | None, kinopoisk_id: int) -> LookupResult[Film]:
    """Return a film.

    :raises NotFound: there is no such film
    :raises Unavailable: there is no key to look films up with, or the service can't be called
    """
    return await require_catalogue(catalogue).get_film(kinopoisk_id)


def require_catalogue(catalogue: FilmCatalogue | None) -> FilmCatalogue:
    """Return the catalogue.

    :raises Unavailable: there is no key to look films up with, and so no catalogue
    """
    if catalogue is None:
        raise Unavailable(
            "films can't be looked up here: no KINOPOISK_API_KEY is set",
            code="movies_not_configured",
            retry_after=None,
        )
    return catalogue
