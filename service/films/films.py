"""Films, looked up in the catalogue if there is one."""

from clients.film_records import Film, FilmPage
from service.errors import Unavailable
from service.films.catalogue import FilmCatalogue, Found


async def search_films(catalogue: FilmCatalogue | None, *, query: str, page: int) -> Found[FilmPage]:
    """A page of the films that fit the query, pages counted from 1."""
    return await configured(catalogue).search(query, page)


async def get_film(catalogue: FilmCatalogue | None, kinopoisk_id: int) -> Found[Film]:
    """:raises NotFound: there is no such film"""
    return await configured(catalogue).film(kinopoisk_id)


def configured(catalogue: FilmCatalogue | None) -> FilmCatalogue:
    """:raises Unavailable: there is no key to look films up with"""
    if catalogue is None:
        raise Unavailable(
            "films can't be looked up here: no KINOPOISK_API_KEY is set",
            code="movies_not_configured",
            retry_after=None,
        )
    return catalogue
