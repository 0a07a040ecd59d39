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
from transport.responses import created, no_content, numbered_page, ok, page, warned

blueprint = Blueprint("movies", url_prefix="/movies")

# Made once: making a schema costs more than dumping a film.
search_request = SearchFilmsRequest()
film_response = FilmResponse()
favourite_response = FavouriteResponse()
LOOK_UP_PROBLEMS = {503: ("movies_unavailable", "movies_not_configured")}


def favourite_saved(saved: SavedFavourite) -> HTTPResponse:
    favourite = favourite_response.dump(saved.favourite)
    location = f"/movies/{saved.favourite.kinopoisk_id}"
    response = created(location, favourite) if saved.is_new else ok(favourite)
    return warned(response, is_stale=saved.is_stale)


@blueprint.get("/search", ctx_scope="movies:read")
@operation(
    query=SearchFilmsRequest,
    answers={200: Page(FilmResponse, next={"type": "integer", "description": "the next page's number"})},
    problems=LOOK_UP_PROBLEMS,
)
async def search_films(request: Request) -> HTTPResponse:
    found = await films.search_films(request.deps.films, **query(request, search_request))
    answer = numbered_page(request, film_response, found.value.films, found.value.next_page)
    return warned(answer, is_stale=found.is_stale)


@blueprint.get("/<kinopoisk_id:id>", ctx_scope="movies:read")
@operation(answers={200: FilmResponse}, problems=LOOK_UP_PROBLEMS)
async def get_film(request: Request, kinopoisk_id: int) -> HTTPResponse:
    found = await films.get_film(request.deps.films, kinopoisk_id)
    return warned(ok(film_response.dump(found.value)), is_stale=found.is_stale)


@blueprint.post("/favorites", ctx_scope="movies:write")
@operation(
    body=CreateFavouriteRequest,
    answers={201: FavouriteResponse, 200: FavouriteResponse},
    problems={404: "not_found", **LOOK_UP_PROBLEMS},
)
async def add_favourite(request: Request) -> HTTPResponse:
    asked = body(request, CreateFavouriteRequest())
    deps = request.deps
    saved = await favourites.add_favourite(
        deps.db, deps.films, request.user_id, **asked, at=request.origin.at
    )
    return favourite_saved(saved)


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
