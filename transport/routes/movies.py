"""/movies: films looked up at Kinopoisk, and the caller's favourites."""

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.films import (
    CreateFavouriteRequest,
    FavouriteResponse,
    FilmResponse,
    ListFavouritesRequest,
    SearchFilmsRequest,
)
from service.films import favourites, films
from service.films.favourites import SavedFavourite
from transport.operations import Page, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import created, no_content, numbered_page, ok, page, with_stale_warning

blueprint = Blueprint("movies", url_prefix="/movies")

# Made once: making a schema costs more than dumping a film.
search_request = SearchFilmsRequest()
film_response = FilmResponse()
favourite_response = FavouriteResponse()
list_request = ListFavouritesRequest()
create_favourite_request = CreateFavouriteRequest()
LOOK_UP_PROBLEMS = {503: ("movies_unavailable", "movies_not_configured")}


def favourite_saved(saved: SavedFavourite) -> HTTPResponse:
    """Make a 201 of a new favourite, a 200 of one that was there."""
    favourite = favourite_response.dump(saved.favourite)
    location = f"/movies/{saved.favourite.kinopoisk_id}"
    response = created(location, favourite) if saved.is_new else ok(favourite)
    return with_stale_warning(response, is_stale=saved.is_stale)


@blueprint.get("/search", ctx_scope="movies:read")
@operation(
    query=SearchFilmsRequest,
    responses={200: Page(FilmResponse, next={"type": "integer", "description": "the next page's number"})},
    problems=LOOK_UP_PROBLEMS,
)
async def search_films(request: Request) -> HTTPResponse:
    result = await films.search_films(request.deps.films, **query(request, search_request))
    response = numbered_page(request, film_response, result.value.films, result.value.next_page)
    return with_stale_warning(response, is_stale=result.is_stale)


@blueprint.get("/<kinopoisk_id:id>", ctx_scope="movies:read")
@operation(responses={200: FilmResponse}, problems=LOOK_UP_PROBLEMS)
async def get_film(request: Request, kinopoisk_id: int) -> HTTPResponse:
    film = await films.get_film(request.deps.films, kinopoisk_id)
    return with_stale_warning(ok(film_response.dump(film.value)), is_stale=film.is_stale)


@blueprint.post("/favorites", ctx_scope="movies:write")
@operation(
    body=CreateFavouriteRequest,
    responses={201: FavouriteResponse, 200: FavouriteResponse},
    problems={404: "not_found", 409: "quota_exceeded", **LOOK_UP_PROBLEMS},
)
async def add_favourite(request: Request) -> HTTPResponse:
    favourite = body(request, create_favourite_request)
    deps = request.deps
    saved = await favourites.add_favourite(
        deps.db,
        deps.films,
        request.user_id,
        quota=deps.quotas.favourites,
        **favourite,
        at=request.origin.at,
    )
    return favourite_saved(saved)


@blueprint.get("/favorites", ctx_scope="movies:read")
@operation(query=ListFavouritesRequest, responses={200: Page(FavouriteResponse)})
async def list_favourites(request: Request) -> HTTPResponse:
    parameters = query(request, list_request)
    rows = await favourites.list_favourites(request.deps.replica, request.user_id, **parameters)
    return page(
        request,
        favourite_response,
        rows,
        limit=parameters["limit"],
        key=lambda row: (row.added_at, row.kinopoisk_id),
    )


@blueprint.delete("/favorites/<kinopoisk_id:id>", ctx_scope="movies:write")
@operation(responses={204: None})
async def delete_favourite(request: Request, kinopoisk_id: int) -> HTTPResponse:
    await favourites.delete_favourite(request.deps.db, request.user_id, kinopoisk_id)
    return no_content()
