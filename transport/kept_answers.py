"""Answers that a worker keeps as long as the database stays as it is, for what is asked again and again.

An answer is known by its query and by the version of the database: one read tells whether it still holds. It
is the same for all who may ask. Where the database tells no version, nothing is kept.
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
OVERHEAD = 1000  # bytes of an answer beside its body and its key

KEPT_HEADERS = ("content-disposition", "link")

Key = tuple[str, str, str]  # path, query, what is accepted
Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer without what belongs to one request."""

    body: bytes
    content_type: str
    headers: dict[str, str]
    etag: str

    def respond(self, request: Request) -> HTTPResponse:
        response = HTTPResponse(self.body, OK, self.headers, self.content_type)
        return with_etag(request, response, self.etag)


@dataclass(slots=True)
class KeptAnswers:
    """The answers of a worker, the least recently used of which are dropped when all take too much."""

    max_bytes: int = 8 * 1024 * 1024
    _answers: OrderedDict[Key, tuple[str, Answer]] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def get(self, key: Key, version: str) -> Answer | None:
        """Return an answer if it is of this version."""
        entry = self._answers.get(key)
        if entry is None or entry[0] != version:
            return None
        self._answers.move_to_end(key)
        return entry[1]

    def put(self, key: Key, version: str, answer: Answer) -> None:
        """Keep an answer in place of an older one, and drop others if all take too much."""
        old = self._answers.pop(key, None)
        if old is not None:
            self._bytes -= size_of(key, old[1])
        self._answers[key] = version, answer
        self._bytes += size_of(key, answer)
        while self._bytes > self.max_bytes:
            dropped_key, (_, dropped) = self._answers.popitem(last=False)
            self._bytes -= size_of(dropped_key, dropped)


def size_of(key: Key, answer: Answer) -> int:
    return len(answer.body) + sum(map(len, key)) + OVERHEAD


def cache_answer(handler: Handler) -> Handler:
    """Answer a GET without the handler if the database is as it was when the same was asked before."""

    @wraps(handler)
    async def run(request: Request, *args: Any, **kwargs: Any) -> HTTPResponse | None:
        database, answers = request.deps.replica, answers_of(request)
        read_version = partial(or_from_primary, request, database.select_version)
        version = await read_version() if request.method == "GET" else None
        if version is None:
            return await handler(request, *args, **kwargs)
        key = (request.path, request.query_string, request.headers.get("accept", ""))
        answer = answers.get(key, version)
        if answer is not None:
            return answer.respond(request)
        response = await handler(request, *args, **kwargs)
        # What changed meanwhile may be in the answer or not.
        if response is not None and response.status == OK and await read_version() == version:
            answers.put(key, version, answer_of(response))
        return response

    return run


def answers_of(request: Request) -> KeptAnswers:
    answers: KeptAnswers = request.app.ctx.answers
    return answers


def answer_of(response: HTTPResponse) -> Answer:
    body = response.body or b""
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return Answer(body, response.content_type or "", headers, response.headers.get("etag") or make_etag(body))
