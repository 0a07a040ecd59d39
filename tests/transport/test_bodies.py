"""Bodies on their way: how long they may take, what they may hold, and how many one address may have."""

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from service.bounds import Bounds, WorkPermits
from service.deps import Deps
from tests.support.accounts import AddUser
from tests.support.eventually import eventually
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from tests.support.processes import PATIENCE
from tests.support.raw_http import OpenRequest, open_request
from transport.bodies import BodyClock
from transport.gunzip import Gunzipper
from transport.linger import Linger
from transport.settings import HttpSettings

KIB, MIB = 2**10, 2**20
OTHER_ADDRESS = "127.0.0.2"
UseBounds = Callable[[Bounds], None]


@pytest.fixture
def use(server: RunningApp, deps: Deps) -> UseBounds:
    """Serve within these bounds."""
    return lambda bounds: server.use(replace(deps, permits=WorkPermits.make(bounds)))


def held_bytes(server: RunningApp) -> int:
    held: int = server.app.ctx.deps.permits.bodies.held
    return held


def slow_bodies(server: RunningApp) -> int:
    largest: int = server.app.ctx.deps.permits.bodies.slow_counter.largest()
    return largest


def endless_gzip(size: int) -> bytes:
    """Gzip so many bytes without an end."""
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(b" " * size) + compressor.flush(zlib.Z_FULL_FLUSH)


@pytest.mark.parametrize("size", [100, MIB])
def test_a_body_of_up_to_a_mebibyte_has_20_seconds(size: int) -> None:
    clock = BodyClock(Bounds(), size)
    assert clock.left == 20
    clock.received, clock.waited = size - 1, 19.5
    assert clock.left == 0.5


@pytest.mark.parametrize("size", [MIB + 1, None])
def test_a_larger_body_keeps_16_kib_a_second(size: int | None) -> None:
    clock = BodyClock(Bounds(), size)
    assert clock.left == 20
    clock.received, clock.waited = 16 * KIB * 100, 99.0
    assert clock.left == 1.0
    clock.received = 16 * KIB * 200  # however much it is ahead, its next piece is not waited for longer
    assert clock.left == 20
    clock.received = 16 * KIB * 98
    assert clock.left == -1


@pytest.mark.parametrize("declared", [100, 2 * MIB])
async def test_a_body_that_trickles_is_given_up(
    user: User, server: RunningApp, use: UseBounds, declared: int
) -> None:
    use(Bounds(body_seconds=0.3))
    headers = (f"Authorization: {user.token}", f"Content-Length: {declared}")
    async with open_request(server.url, "POST /events", *headers) as request:
        trickling = asyncio.create_task(request.trickle(0.02))
        answer = await request.answer()
        trickling.cancel()
    assert (answer.status, answer.code) == (408, "request_timeout")
    assert answer.headers["connection"] == "close"


async def test_the_time_that_is_spent_on_a_body_is_not_the_clients(
    user: User, server: RunningApp, use: UseBounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Bounds(body_seconds=1.0))
    gunzip_piece = Gunzipper.next_piece

    def slowly(gunzipper: Gunzipper) -> bytes:
        asyncio.run(asyncio.sleep(0.8))
        return gunzip_piece(gunzipper)

    monkeypatch.setattr(Gunzipper, "next_piece", slowly)
    gzipped = gzip.compress(b" " * (3 * MIB))
    headers = (
        f"Authorization: {user.token}",
        f"Content-Length: {len(gzipped)}",
        "Content-Encoding: gzip",
    )
    async with open_request(server.url, "POST /events", *headers) as request:
        for start in range(0, len(gzipped), 1000):
            await request.send(gzipped[start : start + 1000])
        assert (await request.answer()).status == 400  # blanks are not JSON


@asynccontextmanager
async def waiting_bodies(
    server: RunningApp, number: int, *headers: str, address: str = OTHER_ADDRESS
) -> AsyncIterator[list[OpenRequest]]:
    """Open requests whose bodies the server waits for."""
    before = slow_bodies(server)
    async with AsyncExitStack() as stack:
        requests = [
            await stack.enter_async_context(
                open_request(server.url, "POST /login", "Content-Length: 9", *headers, address=address)
            )
            for _ in range(number)
        ]

        async def all_wait() -> bool:
            return slow_bodies(server) == before + number

        await eventually(all_wait)
        yield requests


async def test_one_address_has_so_many_slow_bodies_and_no_more(
    client: Client, server: RunningApp, use: UseBounds
) -> None:
    use(Bounds(address_bodies=3, slow_after=0.01))
    async with waiting_bodies(server, 3) as requests:
        head = ("POST /login", "Content-Length: 9")
        async with open_request(server.url, *head, address=OTHER_ADDRESS) as fourth:
            answer = await fourth.answer()
            assert (answer.status, answer.code) == (429, "too_many_at_once")
            assert int(answer.headers["retry-after"]) > 0
        assert (await client.post("/login", json={})).status == 422
        async with open_request(server.url, *head) as of_another:
            await asyncio.sleep(0.1)  # becomes slow
            await of_another.send(b'{"a":123}')
            assert (await of_another.answer()).status == 422
        await requests[0].send(b'{"a":123}')
        assert (await requests[0].answer()).status == 422
        async with waiting_bodies(server, 1):
            pass

    async def nobody_waits() -> bool:
        return slow_bodies(server) == 0

    await eventually(nobody_waits)


async def test_behind_a_proxy_the_forwarded_address_counts(
    server: RunningApp, deps: Deps, use: UseBounds
) -> None:
    permits = WorkPermits.make(Bounds(address_bodies=1, slow_after=0.01))
    server.use(replace(deps, permits=permits), HttpSettings(proxies_count=1))
    networks = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 2001:db8:0:1::1"]
    async with (
        waiting_bodies(server, 1, networks[0]),
        open_request(server.url, "POST /login", "Content-Length: 9", networks[1]) as of_another,
    ):
        async with open_request(server.url, "POST /login", "Content-Length: 9", networks[0]) as second:
            assert (await second.answer()).status == 429
        neighbour = networks[1].replace("::1", "::2")  # one customer has a /64
        async with open_request(server.url, "POST /login", "Content-Length: 9", neighbour) as third:
            assert (await third.answer()).status == 429
        await of_another.send(b'{"a":123}')
        assert (await of_another.answer()).status == 422


@pytest.mark.slow
async def test_bodies_that_come_with_their_request_are_not_slow_however_many(
    user: User, use: UseBounds
) -> None:
    # A busy machine may send the body of a request long after its head.
    use(Bounds(address_bodies=1, slow_after=PATIENCE))
    answers = await asyncio.gather(*(user.client.post("/tasks", json={"title": "a"}) for _ in range(200)))
    assert {answer.status for answer in answers} == {201}


async def test_a_body_that_comes_with_its_request_takes_no_task(user: User) -> None:
    loop, names = asyncio.get_running_loop(), list[str]()

    def make_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        names.append(work.__qualname__)
        return asyncio.Task(work, loop=loop, **options)

    loop.set_task_factory(make_task)
    try:
        assert (await user.client.post("/tasks", json={"title": "a"})).status == 201
    finally:
        loop.set_task_factory(None)
    assert "receive_message" not in names


async def test_bodies_hold_so_much_memory_and_no_more(
    user: User, other_user: User, server: RunningApp, use: UseBounds
) -> None:
    use(Bounds(body_bytes=3 * MIB, address_body_bytes=2 * MIB))
    headers = (f"Authorization: {user.token}", "Transfer-Encoding: chunked", "Content-Encoding: gzip")
    gzipped = endless_gzip(2 * MIB - 64 * KIB)
    chunk = f"{len(gzipped):x}\r\n".encode() + gzipped + b"\r\n"

    async def is_held() -> bool:
        return held_bytes(server) > MIB

    async def nothing_is_held() -> bool:
        return held_bytes(server) == 0

    async with open_request(server.url, "POST /events", *headers, body=chunk):
        await eventually(is_held)
        json_body = b'{"events": [' + b" " * 200_000 + b"]}"
        answer = await other_user.client.post(
            "/events", data=json_body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status, answer.code) == (503, "busy")
        assert int(answer.headers["Retry-After"]) > 0
        connector = aiohttp.TCPConnector(local_addr=(OTHER_ADDRESS, 0))
        async with aiohttp.ClientSession(server.url, connector=connector) as session:
            elsewhere = Client(session, other_user.token)
            answer = await elsewhere.post(
                "/events", data=json_body, headers={"Content-Type": "application/json"}
            )
            assert answer.status == 422
    await eventually(nothing_is_held)


async def test_an_account_has_two_bulk_bodies_under_way(
    user: User, other_user: User, server: RunningApp, use: UseBounds
) -> None:
    use(Bounds(permit_seconds=0.1))
    bulk = b'{"events": []}' + b" " * (65 * KIB)
    headers = {"Content-Type": "application/json"}

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"events": []}'

    gzipped = {**headers, "Content-Encoding": "gzip"}
    permits = server.app.ctx.deps.permits.bulk_bodies
    async with permits.acquire(user.id), permits.acquire(user.id):
        for answer in (
            await user.client.post("/events", data=bulk, headers=headers),
            await user.client.post("/visits", data=bulk, headers=headers),
            await user.client.post("/events", data=endless(), headers=headers),
            await user.client.post("/events", data=gzip.compress(b"{}"), headers=gzipped),
        ):
            assert (answer.status, answer.code) == (429, "too_many_at_once")
        assert (await user.client.post("/events", data=b'{"events": []}', headers=headers)).status == 422
        assert (await user.client.post("/tasks", json={"title": "a"})).status == 201
        assert (await other_user.client.post("/events", data=bulk, headers=headers)).status == 422
    assert (await user.client.post("/events", data=bulk, headers=headers)).status == 422
    assert permits.running == 0


async def test_an_upload_takes_a_permit_too(add_user: AddUser, server: RunningApp, use: UseBounds) -> None:
    use(Bounds(permit_seconds=0.1))
    admin = await add_user("Root", role="admin")
    permits = server.app.ctx.deps.permits.bulk_bodies
    async with permits.acquire(admin.id), permits.acquire(admin.id):
        assert (await admin.client.post("/imports", data=b"x")).status == 429


@pytest.mark.parametrize(("path", "status"), [("/login", 413), ("/profile", 401), ("/nothing", 404)])
async def test_an_answer_reaches_a_client_that_is_still_sending(
    client: Client, path: str, status: int
) -> None:
    method = "PATCH" if path == "/profile" else "POST"
    answer = await client.request(
        method, path, data=io.BytesIO(b" " * (8 * MIB)), headers={"Content-Type": "application/json"}
    )
    assert answer.status == status


async def test_the_rest_of_a_body_is_not_taken_for_ever(server: RunningApp, deps: Deps) -> None:
    server.use(deps, HttpSettings(linger=Linger(seconds=0.1)))
    async with open_request(server.url, "PATCH /profile", "Content-Length: 1000") as request:
        assert (await request.answer()).status == 401
        assert await request.is_closed()


@pytest.mark.parametrize("value", [b"1,", b"[],", b"{},", b"\n"])
async def test_a_body_of_very_many_values_is_refused_before_it_is_parsed(user: User, value: bytes) -> None:
    body = b'{"events": [' + value * 1_000_001 + b"1]}"
    for path in ("/events", "/visits"):
        answer = await user.client.post(
            path, data=io.BytesIO(body), headers={"Content-Type": "application/json"}
        )
        assert (answer.status, answer.code) == (413, "too_large")
