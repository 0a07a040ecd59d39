"""/movies: films looked up at Kinopoisk, and the caller's favourites."""

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.films import (
    CreateFavouriteRequest,
    FavouriteResponse,
    FilmPageResponse,
    FilmResponse,
    ListFavouritesRequest,
    SearchFilmsRequest,
)
from service import favourites, films
from transport.operations import Page, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import created, following_page, no_content, ok, page, warned

blueprint = Blueprint("movies", url_prefix="/movies")

# Made once: making a schema costs more than dumping a film.
search_request, film_response, film_page_response = SearchFilmsRequest(), FilmResponse(), FilmPageResponse()
favourite_response = FavouriteResponse()
LOOK_UP_PROBLEMS = {503: ("movies_not_configured", "movies_unavailable")}


@blueprint.get("/search", ctx_scope="movies:read")
@operation(query=SearchFilmsRequest, answers={200: FilmPageResponse}, problems=LOOK_UP_PROBLEMS)
async def search_films(request: Request) -> HTTPResponse:
    found = await films.search_films(request.deps.films, **query(request, search_request))
    answer = following_page(request, ok(film_page_response.dump(found.value)), found.value.next_page)
    return warned(answer, is_stale=found.is_stale)


@blueprint.get("/<kinopoisk_id:id>", ctx_scope="movies:read")
@operation(answers={200: FilmResponse}, problems=LOOK_UP_PROBLEMS)
async def get_film(request: Request, kinopoisk_id: int) -> HTTPResponse:
    found = await films.get_film(request.deps.films, kinopoisk_id)
    return warned(ok(film_response.dump(found.value)), is_stale=found.is_stale)


@blueprint.post("/favorites", ctx_scope="movies:write")
@operation(
    body=CreateFavouriteRequest,
    answers={200: FavouriteResponse, 201: FavouriteResponse},
    problems={404: "not_found", **LOOK_UP_PROBLEMS},
)
async def add_favourite(request: Request) -> HTTPResponse:
    asked = body(request, CreateFavouriteRequest())
    deps = request.deps
    added = await favourites.add_favourite(
        deps.db, deps.films, request.user_id, **asked, at=request.origin.at
    )
    favourite = favourite_response.dump(added.favourite)
    path = f"/movies/favorites/{added.favourite.kinopoisk_id}"
    return warned(created(path, favourite) if added.is_new else ok(favourite), is_stale=added.is_stale)


@blueprint.get("/favorites", ctx_scope="movies:read")
@operation(query=ListFavouritesRequest, answers={200: Page(FavouriteResponse)})
async def list_favourites(request: Request) -> HTTPResponse:
    asked = query(request, ListFavouritesRequest())
    rows = await favourites.list_favourites(request.deps.replica, request.user_id, **asked)
    return page(
        request,
        favourite_response,
        rows,
        limit=asked["limit"],
        key=lambda row: (row.added_at, row.kinopoisk_id),
    )


@blueprint.delete("/favorites/<kinopoisk_id:id>", ctx_scope="movies:write")
@operation(answers={204: None})
async def delete_favourite(request: Request, kinopoisk_id: int) -> HTTPResponse:
    await favourites.delete_favourite(request.deps.db, request.user_id, kinopoisk_id)
    return no_content()
