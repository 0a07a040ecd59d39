"""The pages of lists that a worker made last: what a service has not made anew needs no new page."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sanic.response import HTTPResponse

from transport.request import Request
from transport.responses import JSON

Key = tuple[str, str]  # path, query


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page, and the list that it shows: while this is referred to, no other object is it."""

    rows: Sequence[Any]
    body: bytes
    link: str | None


@dataclass(slots=True)
class PageCache:
    """The pages of a worker, the least recently used of which are dropped; long ones are not cached."""

    max_pages: int = 32
    max_rows: int = 101
    _pages: OrderedDict[Key, CachedPage] = field(default_factory=OrderedDict)

    def get(self, request: Request, rows: Sequence[Any]) -> HTTPResponse | None:
        """Return the page of the same request if it was made of this very object."""
        key = (request.path, request.query_string)
        page = self._pages.get(key)
        if page is None or page.rows is not rows:
            return None
        self._pages.move_to_end(key)
        headers = {} if page.link is None else {"link": page.link}
        return HTTPResponse(page.body, 200, headers, JSON)

    def put(self, request: Request, rows: Sequence[Any], response: HTTPResponse) -> None:
        if len(rows) > self.max_rows:
            return
        key = (request.path, request.query_string)
        self._pages[key] = CachedPage(rows, response.body or b"", response.headers.get("link"))
        self._pages.move_to_end(key)
        if len(self._pages) > self.max_pages:
            self._pages.popitem(last=False)
