"""Connections of one address: however many it opens, another address is served.

The attacks come from 127.0.0.2, on a server process of the test's own with two workers.
"""

import asyncio
import os
import resource
import select
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import cast
from urllib.parse import urlsplit

import aiohttp
import pytest

from server.connections import ConnectionGuard, network_of
from server.shared_counts import SharedCounts
from telemetry.metrics import current
from tests.support.command_line import TINY_SERVER, Command
from tests.support.eventually import eventually
from tests.support.processes import patience
from tests.support.unanswered import is_answered
from transport.request import App
from transport.sampling import sample_connections

ATTACKER = "127.0.0.2"
OTHER = "127.0.0.3"
LIMIT = 512
TRICKLE = (
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
)


@pytest.fixture(autouse=True)
def open_files() -> Iterator[None]:
    """Let this process hold the attack."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def url() -> Iterator[str]:
    """Serve Trawl, without a database, in two workers."""
    tiny = Command(dict(os.environ), TINY_SERVER)
    process = tiny.fork("0", "--app", "patient", "--connections", str(LIMIT))
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], patience())[0]
        word, address = process.stdout.readline().split()
        assert word == "ready"
        yield address
    finally:
        process.kill()
        process.communicate()


class Attack:
    """Connections of one address, each of which sends the same bytes once it is let in."""

    def __init__(self, url: str, data: bytes) -> None:
        self._address = urlsplit(url)
        self._data = data
        self._tasks: list[asyncio.Task[None]] = []
        self.opened = self.alive = 0  # connections that were let in, and those that are not closed yet

    def open(self, number: int) -> None:
        self._tasks += [asyncio.create_task(self._connect()) for _ in range(number)]

    async def _connect(self) -> None:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(
                self._address.hostname, self._address.port, local_addr=(ATTACKER, 0)
            )
            self.opened += 1
            self.alive += 1
            try:
                writer.write(self._data)
                await reader.read()
            finally:
                self.alive -= 1
                writer.close()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def attack(url: str, data: bytes) -> AsyncIterator[Attack]:
    made = Attack(url, data)
    try:
        yield made
    finally:
        await made.close()


async def is_served(url: str) -> bool:
    """Ask on a new connection, from another address."""
    timeout = aiohttp.ClientTimeout(total=patience())
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
        return answer.status == 200


@pytest.mark.parametrize(
    ("data", "number"),
    [(b"", 2500), (b"GET / HTTP/1.1\r\nHo", 1000), (TRICKLE, 2600)],
    ids=("silent", "heads", "bodies"),
)
async def test_an_address_with_thousands_of_connections_leaves_room_for_others(
    url: str, data: bytes, number: int
) -> None:
    async with attack(url, data) as made:
        for _ in range(10):
            made.open(number // 10)
            assert await is_served(url)

        async def is_bounded() -> bool:
            return made.opened >= LIMIT >= made.alive

        await eventually(is_bounded)
        assert await is_served(url)


async def test_connections_within_the_bound_stay(url: str) -> None:
    async with attack(url, b"") as made:
        made.open(LIMIT - 10)

        async def are_open() -> bool:
            return made.opened == LIMIT - 10

        await eventually(are_open)
        assert await is_served(url)
        assert made.alive == LIMIT - 10


async def test_an_address_with_all_of_its_connections_is_not_let_in(url: str) -> None:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    server = parts.hostname, parts.port
    async with attack(url, b"") as made:
        made.open(2 * LIMIT)

        async def is_refused() -> bool:
            return not any(is_answered(server, ATTACKER) for _ in range(20))  # by either worker

        await eventually(is_refused)
        assert all(is_answered(server, OTHER) for _ in range(20))
    connection = await asyncio.to_thread(socket.create_connection, server, patience(), (ATTACKER, 0))
    connection.close()


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_a_customer_counts_as_one_address(host: str, network: str) -> None:
    assert network_of(host) == network


def test_the_newest_idle_connections_are_closed_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        guard = ConnectionGuard(SharedCounts(1).row(1), 3, port)
        clients, accepted = [], []
        for _ in range(5):
            clients.append(socket.create_connection(("127.0.0.1", port)))
            accepted.append(listener.accept()[0])
        host, own_port = clients[3].getsockname()
        guard.busy.add((host, str(own_port)))
        guard.look()
        assert guard.closed == 2
        assert [is_shut(client) for client in clients] == [False, False, True, False, True]
        for connection in (*clients, *accepted):
            connection.close()
        guard.look()
        assert guard.open == 0


def test_an_address_is_let_in_again_once_it_has_fewer_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        guard = ConnectionGuard(SharedCounts(1).row(1), 3, address[1])
        clients, accepted = [], []
        for source in (ATTACKER, ATTACKER, OTHER, ATTACKER):
            guard.look()
            assert is_answered(address, ATTACKER)
            listener.accept()[0].close()
            clients.append(socket.create_connection(address, source_address=(source, 0)))
            accepted.append(listener.accept()[0])
        guard.look()
        assert guard.unanswered == 0
        assert not is_answered(address, ATTACKER)
        assert is_answered(address, OTHER)
        clients[0].close()
        accepted[0].close()
        guard.look()
        assert guard.unanswered == 1
        assert is_answered(address, ATTACKER)
        for connection in (*clients, *accepted):
            connection.close()


def test_what_is_not_answered_is_a_refusal_of_a_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        guard = ConnectionGuard(SharedCounts(1).row(1), 0, address[1])
        app = SimpleNamespace(ctx=SimpleNamespace(connection_guard=guard))
        client = socket.create_connection(address, source_address=(ATTACKER, 0))
        accepted = listener.accept()[0]
        guard.look()
        assert not is_answered(address, ATTACKER)
        guard.look()
        before = refused("unanswered_connections")
        sample_connections(cast(App, app))
        sample_connections(cast(App, app))
        assert refused("unanswered_connections") == before + 1
        client.close()
        accepted.close()


def refused(bound: str) -> float:
    """Return how much of a bound this process has refused."""
    series = current().registry.get_sample_value("trawl_refusals_total", {"bound": bound})
    return series or 0.0


def test_a_connection_with_a_request_under_way_is_closed_last() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        guard = ConnectionGuard(SharedCounts(1).row(1), 1, port)
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        accepted = [listener.accept()[0] for _ in clients]
        host, own_port = clients[2].getsockname()
        guard.busy.add((host, str(own_port)))
        guard.look()
        assert [is_shut(client) for client in clients] == [True, True, False]
        for connection in (*clients, *accepted):
            connection.close()


def is_shut(client: socket.socket) -> bool:
    """Tell whether the other side has shut the connection."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
