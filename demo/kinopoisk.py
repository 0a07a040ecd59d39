"""A film service with the routes of the Kinopoisk API Unofficial, on the invented catalogue.

    python -m demo.kinopoisk

prints its URL, and ends when its standard input does.
"""

import asyncio
import math
import signal
import sys
from typing import Any

from aiohttp import web

from demo.catalogue import FIRST_ID, ROWS, details, summary

PAGE_SIZE = 20


def make_app() -> web.Application:
    app = web.Application()
    app.router.add_get("/api/v2.1/films/search-by-keyword", search)
    app.router.add_get("/api/v2.2/films/{film_id}", film)
    return app


async def search(request: web.Request) -> web.Response:
    keyword = request.query.get("keyword", "")
    page = int(request.query.get("page", "1"))
    return respond(request, search_page(keyword, page))


def search_page(keyword: str, page: int) -> dict[str, Any]:
    """Return a page of the films with the keyword in one of their names."""
    key = keyword.casefold()
    films = [summary(number) for number, row in enumerate(ROWS) if key in f"{row[0]}\n{row[1]}".casefold()]
    return {
        "keyword": keyword,
        "pagesCount": math.ceil(len(films) / PAGE_SIZE),
        "searchFilmsCountResult": len(films),
        "films": films[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
    }


async def film(request: web.Request) -> web.Response:
    film_id = request.match_info["film_id"]
    number = int(film_id) - FIRST_ID if film_id.isdecimal() else -1
    if number not in range(len(ROWS)):
        return web.json_response({"message": f"Film {film_id} not found"}, status=404)
    return respond(request, details(number))


def respond(request: web.Request, data: dict[str, Any]) -> web.Response:
    """Respond with the data, or 401 without a key."""
    if not request.headers.get("X-API-KEY"):
        return web.json_response({"message": "You don't have permissions."}, status=401)
    return web.json_response(data)


async def serve_until_eof() -> None:
    """Serve on a free port of this machine until standard input ends, as it does with the parent."""
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(make_app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    input_ended = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(input_ended), sys.stdin)
    await input_ended.read()
    await runner.cleanup()


if __name__ == "__main__":
    # A terminal's Ctrl-C comes here too, while Trawl may still need answers to finish its requests.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(serve_until_eof())
