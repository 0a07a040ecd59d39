"""A cache of responses, which a worker keeps as long as the database stays as it is.

The key of a response is its query and the version of the database: one read tells whether it still holds. It
is the same for all who may ask. Where the database tells no version, nothing is cached.
"""

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any

from sanic.response import HTTPResponse

from transport.replicas import or_from_primary
from transport.request import Request
from transport.responses import make_etag, with_etag

OK = 200
OVERHEAD = 1000  # bytes of a response beside its body and its key

CACHED_HEADERS = ("content-disposition", "link")

Key = tuple[str, str, str]  # path, query, what is accepted
Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response without what belongs to one request."""

    body: bytes
    content_type: str
    headers: dict[str, str]
    etag: str

    def respond(self, request: Request) -> HTTPResponse:
        response = HTTPResponse(self.body, OK, self.headers, self.content_type)
        return with_etag(request, response, self.etag)


@dataclass(slots=True)
class ResponseCache:
    """The responses of a worker, the least recently used of which are dropped when all take too much."""

    max_bytes: int = 8 * 1024 * 1024
    _responses: OrderedDict[Key, tuple[str, CachedResponse]] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def get(self, key: Key, version: str) -> CachedResponse | None:
        """Return a response if it is of this version."""
        entry = self._responses.get(key)
        if entry is None or entry[0] != version:
            return None
        self._responses.move_to_end(key)
        return entry[1]

    def put(self, key: Key, version: str, response: CachedResponse) -> None:
        """Cache a response in place of an older one, and drop others if all take too much."""
        old = self._responses.pop(key, None)
        if old is not None:
            self._bytes -= size_of(key, old[1])
        self._responses[key] = version, response
        self._bytes += size_of(key, response)
        while self._bytes > self.max_bytes:
            dropped_key, (_, dropped) = self._responses.popitem(last=False)
            self._bytes -= size_of(dropped_key, dropped)


def size_of(key: Key, response: CachedResponse) -> int:
    return len(response.body) + sum(map(len, key)) + OVERHEAD


def cache_response(handler: Handler) -> Handler:
    """Answer a GET without the handler if the database is as it was when the same was asked before."""

    @wraps(handler)
    async def run(request: Request, *args: Any, **kwargs: Any) -> HTTPResponse | None:
        database, cache = request.deps.replica, cache_of(request)
        read_version = partial(or_from_primary, request, database.select_version)
        version = await read_version() if request.method == "GET" else None
        if version is None:
            return await handler(request, *args, **kwargs)
        key = (request.path, request.query_string, request.headers.get("accept", ""))
        cached = cache.get(key, version)
        if cached is not None:
            return cached.respond(request)
        response = await handler(request, *args, **kwargs)
        # What changed meanwhile may be in the response or not.
        if response is not None and response.status == OK and await read_version() == version:
            cache.put(key, version, cached_of(response))
        return response

    return run


def cache_of(request: Request) -> ResponseCache:
    cache: ResponseCache = request.app.ctx.responses
    return cache


def cached_of(response: HTTPResponse) -> CachedResponse:
    body = response.body or b""
    headers = {name: response.headers[name] for name in CACHED_HEADERS if name in response.headers}
    return CachedResponse(
        body, response.content_type or "", headers, response.headers.get("etag") or make_etag(body)
    )
