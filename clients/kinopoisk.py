"""The Kinopoisk API Unofficial: films by keyword and by id. One request a call, without cache and retries."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog

from clients.film_records import Film, FilmPage, read_film, read_page
from clients.upstream import (
    OnCall,
    UpstreamError,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamSlow,
    observe_call,
)

if TYPE_CHECKING:
    import aiohttp

log = structlog.get_logger("trawl.kinopoisk")

MAX_ANSWER = 2**20  # bytes; a full page of long descriptions has a tenth of that
CONNECTIONS = 10
FAILING_STATUS = 500
CHUNK = 65536


class FilmUnknown(UpstreamError):
    """The service has no such film."""


class KeyRefused(UpstreamError):
    """The service refuses the key, or the key's quota is used up. `status` is 401 or 402."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.cause = "its quota is used up" if status == HTTPStatus.PAYMENT_REQUIRED else "it is refused"
        super().__init__(f"the key: {self.cause} ({status})")


class Kinopoisk:
    """A client of the service at `url`. It raises only UpstreamErrors."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        max_answer: int = MAX_ANSWER,
        on_call: OnCall = lambda _outcome, _seconds: None,
    ) -> None:
        """Make a client. `on_call` gets `ok` or the kind of the failure of each call, and its seconds."""
        import aiohttp

        self.url = url.rstrip("/")
        self._failures = (aiohttp.ClientError, OSError)
        self._headers = {"X-API-KEY": key, "Accept": "application/json", "Accept-Encoding": "identity"}
        self._max_answer = max_answer
        self._on_call = on_call
        self._session: aiohttp.ClientSession | None = None

    async def search_films(self, keyword: str, page: int, *, within: float) -> FilmPage:
        """Fetch a page of films, counted from 1, within so many seconds.

        :raises UpstreamError: there is no usable answer in time
        """
        parameters = {"keyword": keyword, "page": str(page)}
        record = await self._get("search", "/api/v2.1/films/search-by-keyword", within, parameters)
        return read_page(record, page)

    async def get_film(self, kinopoisk_id: int, *, within: float) -> Film:
        """Fetch a film within so many seconds.

        :raises FilmUnknown: there is no such film
        :raises UpstreamError: there is no usable answer in time
        """
        film = read_film(await self._get("film", f"/api/v2.2/films/{kinopoisk_id}", within))
        if film is None:
            raise UpstreamFailed("the answer is not a film")
        return replace(film, kinopoisk_id=kinopoisk_id)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _get(
        self, kind: str, path: str, within: float, parameters: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """Fetch the JSON object at a path, and log how the call went."""
        with observe_call(log, f"kinopoisk_{kind}", self._on_call):
            return await self._request(path, within, parameters)

    async def _request(
        self, path: str, within: float, parameters: Mapping[str, str] | None
    ) -> Mapping[str, Any]:
        session = self._open_session()
        try:
            async with (
                asyncio.timeout(within),
                session.get(self.url + path, params=parameters, allow_redirects=False) as response,
            ):
                check_status(response.status)
                return parse_object(await read_body(response, self._max_answer))
        except TimeoutError:
            raise UpstreamSlow("no answer in time") from None
        except self._failures as error:
            raise UpstreamFailed(f"the connection failed: {type(error).__name__}") from error

    def _open_session(self) -> "aiohttp.ClientSession":
        """Return the HTTP session. It is opened at the first call, as it needs the running loop."""
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # a small gzipped answer could be gunzipped to any size
                timeout=aiohttp.ClientTimeout(total=None),  # every call has its own
            )
        return self._session


def check_status(status: int) -> None:
    """Raise the error that a status stands for; 200 is none."""
    match status:
        case HTTPStatus.OK:
            return
        case HTTPStatus.NOT_FOUND:
            raise FilmUnknown("404")
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.PAYMENT_REQUIRED:
            raise KeyRefused(status)
        case HTTPStatus.TOO_MANY_REQUESTS:
            raise UpstreamFailed("429")
    # Redirects are not followed: the key would go with them to wherever they lead.
    if status >= FAILING_STATUS or status < HTTPStatus.BAD_REQUEST:
        raise UpstreamFailed(str(status))
    raise UpstreamRefused(str(status))


async def read_body(response: "aiohttp.ClientResponse", most: int) -> bytes:
    """Read a body of up to `most` bytes.

    :raises UpstreamFailed: it is larger
    """
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(CHUNK):
        size += len(chunk)
        if size > most:
            response.close()
            raise UpstreamFailed("the answer is too large")
        parts.append(chunk)
    return b"".join(parts)


def parse_object(body: bytes) -> Mapping[str, Any]:
    """Parse a JSON object. Unlike orjson, json accepts half of a surrogate pair, which descriptions may hold.

    :raises UpstreamFailed: it is not a JSON object
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise UpstreamFailed("the answer is not JSON") from None
    if not isinstance(answer, dict):
        raise UpstreamFailed("the answer is not a JSON object")
    return answer
