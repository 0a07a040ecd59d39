"""A film service that speaks as the Kinopoisk API Unofficial does, on the made-up catalogue.

    python -m demo.kinopoisk

prints its address, and ends when its standard input does.
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
    return answer(request, found_by(keyword, page))


def found_by(keyword: str, page: int) -> dict[str, Any]:
    """The page of films that have the keyword in one of their names."""
    wanted = keyword.casefold()
    films = [summary(number) for number, row in enumerate(ROWS) if wanted in f"{row[0]}\n{row[1]}".casefold()]
    return {
        "keyword": keyword,
        "pagesCount": math.ceil(len(films) / PAGE_SIZE),
        "searchFilmsCountResult": len(films),
        "films": films[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
    }


async def film(request: web.Request) -> web.Response:
    given = request.match_info["film_id"]
    number = int(given) - FIRST_ID if given.isdecimal() else -1
    if number not in range(len(ROWS)):
        return web.json_response({"message": f"Film {given} not found"}, status=404)
    return answer(request, details(number))


def answer(request: web.Request, data: dict[str, Any]) -> web.Response:
    if not request.headers.get("X-API-KEY"):
        return web.json_response({"message": "You don't have permissions."}, status=401)
    return web.json_response(data)


async def serve_until_eof() -> None:
    """Serve on a free port of this machine until whoever started this has gone."""
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
    # A terminal's Ctrl-C comes here too; requests that Trawl is finishing may still need an answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(serve_until_eof())
