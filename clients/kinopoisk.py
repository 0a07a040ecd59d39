"""The Kinopoisk API Unofficial: films by keyword and by id. One request a call; no cache, no second try."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog

from clients.film_records import Film, FilmPage, film_from, page_from
from clients.upstream import OnCall, UpstreamError, UpstreamFailed, UpstreamRefused, UpstreamSlow, observed

if TYPE_CHECKING:
    import aiohttp

log = structlog.get_logger("trawl.kinopoisk")

MAX_ANSWER = 2**20  # bytes; a full page of long descriptions has a tenth of that
CONNECTIONS = 10
FAILING_STATUS = 500
CHUNK = 65536


class FilmUnknown(UpstreamError):
    """It has no such film."""


class KeyRefused(UpstreamError):
    """It does not take the key, or the key's quota is used up. `status` is 401 or 402."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.cause = "its quota is used up" if status == HTTPStatus.PAYMENT_REQUIRED else "it is refused"
        super().__init__(f"the key: {self.cause} ({status})")


class Kinopoisk:
    """A client of the service at `url`. All that it raises are UpstreamErrors."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        max_answer: int = MAX_ANSWER,
        on_call: OnCall = lambda _outcome, _seconds: None,
    ) -> None:
        """`on_call` is told of each call: `ok` or the kind of its failure, and how long it took."""
        import aiohttp

        self.url = url.rstrip("/")
        self._failures = (aiohttp.ClientError, OSError)
        self._headers = {"X-API-KEY": key, "Accept": "application/json", "Accept-Encoding": "identity"}
        self._max_answer = max_answer
        self._on_call = on_call
        self._session: aiohttp.ClientSession | None = None

    async def search(self, keyword: str, page: int, *, within: float) -> FilmPage:
        """A page of films, counted from 1. Waits `within` seconds at most, as all calls do."""
        parameters = {"keyword": keyword, "page": str(page)}
        return page_from(
            await self._get("search", "/api/v2.1/films/search-by-keyword", within, parameters), page
        )

    async def film(self, kinopoisk_id: int, *, within: float) -> Film:
        found = film_from(await self._get("film", f"/api/v2.2/films/{kinopoisk_id}", within))
        if found is None:
            raise UpstreamFailed("the answer is no film")
        return replace(found, kinopoisk_id=kinopoisk_id)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _get(
        self, kind: str, path: str, within: float, parameters: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """The JSON object at a path, and a log line of how that went."""
        with observed(log, f"kinopoisk_{kind}", self._on_call):
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
                return parse(await read_capped(response, self._max_answer))
        except TimeoutError:
            raise UpstreamSlow("no answer in time") from None
        except self._failures as error:
            raise UpstreamFailed(f"the connection failed: {type(error).__name__}") from error

    def _open_session(self) -> "aiohttp.ClientSession":
        """Made in the loop that uses it: the client itself is made before there is one."""
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # a small packed answer could unpack to any size
                timeout=aiohttp.ClientTimeout(total=None),  # every call says its own
            )
        return self._session


def check_status(status: int) -> None:
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


async def read_capped(response: "aiohttp.ClientResponse", most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(CHUNK):
        size += len(chunk)
        if size > most:
            response.close()
            raise UpstreamFailed("the answer is too large")
        parts.append(chunk)
    return b"".join(parts)


def parse(body: bytes) -> Mapping[str, Any]:
    """The standard library's parser, unlike orjson, takes half a surrogate pair in a film's description."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise UpstreamFailed("the answer is no JSON") from None
    if not isinstance(answer, dict):
        raise UpstreamFailed("the answer is no JSON object")
    return answer
