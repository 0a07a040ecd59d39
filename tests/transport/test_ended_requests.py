"""A request that has ended leaves nothing for the garbage collector, which stops all others as it looks."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import pytest

from tests.support.eventually import eventually
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from transport.app import drop_tracebacks
from transport.request import Request

TIMES = 8


class NewRequests:
    """The requests since it was made, ended ones that wait for the garbage collector included."""

    def __init__(self) -> None:
        self._made = 0
        self._alive: WeakSet[Request] = WeakSet()

    def add(self, request: Request) -> None:
        self._made += 1
        self._alive.add(request)

    async def all_are_there(self) -> bool:
        return self._made >= TIMES

    async def few_are_left(self) -> bool:
        """Tell whether all have gone but those in whose context something was opened that lives on."""
        return self._made >= TIMES and len(self._alive) < TIMES // 2


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[NewRequests]:
    """Count requests while no garbage is collected."""
    new = NewRequests()
    make = Request.__init__

    def make_and_add(self: Request, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        new.add(self)

    monkeypatch.setattr(Request, "__init__", make_and_add)
    gc.disable()
    yield new
    gc.enable()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/profile", None, 200),
        ("GET", "/visits/stats?group_by=day", None, 200),
        ("GET", "/visits/export", None, 200),
        ("POST", "/tasks", {"title": "new"}, 201),
        ("POST", "/tasks", {"title": 5}, 422),
        ("POST", "/tasks", b"{", 400),
        ("GET", "/tasks/1", None, 404),
        ("GET", "/nothing", None, 404),
        ("PUT", "/profile", None, 405),
    ],
)
async def test_ended_requests_are_gone(
    user: User, requests: NewRequests, *, method: str, path: str, body: object, status: int
) -> None:
    content = {"data": body} if isinstance(body, bytes) else {"json": body}
    headers = {"Content-Type": "application/json"} if isinstance(body, bytes) else {}
    for _ in range(TIMES):
        answer = await user.client.request(method, path, headers=headers, **content)
        assert answer.status == status
    await eventually(requests.few_are_left)


async def test_requests_whose_bodies_broke_off_are_gone(server: RunningApp, requests: NewRequests) -> None:
    connections = await begin_bodies(server.url)
    await eventually(requests.all_are_there)
    await leave(connections)
    await eventually(requests.few_are_left)


async def test_requests_that_left_before_their_bodies_counted_as_slow_are_gone(
    server: RunningApp, requests: NewRequests, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = HeldQueue()
    monkeypatch.setattr(server.app.ctx, "fair_queue", queue, raising=False)
    connections = await begin_bodies(server.url)
    await eventually(lambda: queue.has_taken(TIMES))
    await leave(connections)
    await eventually(lambda: queue.has_taken(2 * TIMES))  # what broke off takes its turn to end
    queue.opened.set()
    await eventually(requests.few_are_left)


class HeldQueue:
    """A fair queue in which everybody waits until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self._taken = 0

    async def wait(self, _address: str) -> None:
        self._taken += 1
        await self.opened.wait()

    async def has_taken(self, number: int) -> bool:
        return self._taken == number


Connections = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


async def begin_bodies(url: str) -> Connections:
    """Open connections, each with a body of which the first byte has come."""
    address = urlsplit(url)
    connections = [await asyncio.open_connection(address.hostname, address.port) for _ in range(TIMES)]
    for _, writer in connections:
        writer.write(b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
    return connections


async def leave(connections: Connections) -> None:
    for _, writer in connections:
        writer.close()
        await writer.wait_closed()


def test_errors_that_are_each_others_cause_let_go_of_their_frames() -> None:
    errors = []
    for _ in range(2):
        try:
            int("no number")
        except ValueError as error:
            errors.append(error)
    first, second = errors
    first.__context__, second.__context__ = second, first
    drop_tracebacks(first)
    assert [error.__traceback__ for error in errors] == [None, None]
