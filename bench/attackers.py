"""What one account or address can do to a server, each for some seconds. Only against 127.0.0.0/8."""

import asyncio
import json
import multiprocessing
import os
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bench.own_trawl import HOST
from bench.priorities import come_last

NETWORK = "127.0.2"  # of the attacking addresses
UNREAD_EXPORTS = 180
STATISTICS = 24
SILENT = 2500
TRICKLING = 2600
SIGN_UPS = 90
ENDLESS_GZIP = 40
PATTERNS = 8
GZIPPED_BYTES = 31 * 1024
CONNECTING_AT_ONCE = 50
PAUSE = 0.05  # seconds before a refused attacker tries again
SLICE = 0.005  # seconds, of each of which `compute` takes its share
GROUPS = ("page", "country", "hour", "day", "user", "category", "page,day", "country,hour", "user,page")


@dataclass(frozen=True, slots=True)
class Target:
    """The server under attack, the token of the account that attacks, and from how many addresses."""

    port: int
    token: str
    seconds: float
    addresses: int = 1

    def head(self, method: str, path: str, *headers: str) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {HOST}",
            f"Authorization: Bearer {self.token}",
            *headers,
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def post(self, path: str, data: bytes, *headers: str) -> bytes:
        length = f"Content-Length: {len(data)}"
        return self.head("POST", path, "Content-Type: application/json", length, *headers) + data


connections = count()


@asynccontextmanager
async def connection(target: Target) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = f"{NETWORK}.{1 + next(connections) % target.addresses}"
    reader, writer = await asyncio.open_connection(HOST, target.port, local_addr=(address, 0), limit=2**16)
    try:
        yield reader, writer
    finally:
        writer.close()


async def repeat(target: Target, number: int, work: Callable[[int], Awaitable[None]]) -> None:
    """Do the work so many times at once, again and again until the time is up, whatever the server does."""
    end = time.monotonic() + target.seconds
    connecting = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def one(index: int) -> None:
        async with connecting:
            await asyncio.sleep(0)
        while time.monotonic() < end:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with asyncio.timeout(max(0.1, end - time.monotonic())):
                    await work(index)
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*(one(index) for index in range(number)))


async def leave_exports_unread(target: Target) -> None:
    """Ask for exports and read nothing of them."""

    async def work(_index: int) -> None:
        async with connection(target) as (_, writer):
            writer.write(target.head("GET", "/visits/export"))
            await asyncio.sleep(target.seconds)

    await repeat(target, UNREAD_EXPORTS, work)


async def ask_for_statistics(target: Target) -> None:
    """Ask for heavy statistics, none like another; every third client leaves after half a second."""
    numbers = count()

    async def work(index: int) -> None:
        number = next(numbers)
        query = f"group_by={GROUPS[number % len(GROUPS)]}&from=2018-01-01T00:00:00.{number % 10**6:06}Z"
        async with connection(target) as (reader, writer):
            writer.write(target.head("GET", f"/visits/stats?{query}", "Connection: close"))
            async with asyncio.timeout(0.5 if index % 3 == 0 else None):
                await reader.read()

    await repeat(target, STATISTICS, work)


async def connect_silently(target: Target) -> None:
    """Connect, and send nothing."""

    async def work(_index: int) -> None:
        async with connection(target) as (reader, _):
            await reader.read()

    await repeat(target, SILENT, work)


async def trickle_bodies(target: Target) -> None:
    """Send bodies of which a byte comes every second."""
    head = target.head("POST", "/login", "Content-Type: application/json", "Content-Length: 100000")

    async def work(_index: int) -> None:
        async with connection(target) as (_, writer):
            writer.write(head)
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(1)

    await repeat(target, TRICKLING, work)


async def sign_up(target: Target) -> None:
    """Sign accounts up, all at once, again and again."""
    numbers = count()

    async def work(_index: int) -> None:
        account = {"login": f"mass {time.time_ns()} {next(numbers)}", "password": "correct horse battery"}
        async with connection(target) as (reader, writer):
            writer.write(target.post("/register", json.dumps(account).encode(), "Connection: close"))
            await reader.read()

    await repeat(target, SIGN_UPS, work)


async def send_endless_gzip(target: Target) -> None:
    """Send gzip that unpacks to a thousand times its size, and never its last byte."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = packer.compress(b" " * (64 * 1024 * 1024)) + packer.flush(zlib.Z_SYNC_FLUSH)
    data = zeros[:GZIPPED_BYTES]
    head = target.head(
        "POST",
        "/events",
        "Content-Type: application/json",
        "Content-Encoding: gzip",
        f"Content-Length: {len(data) + 1}",
    )

    async def work(_index: int) -> None:
        async with connection(target) as (reader, writer):
            writer.write(head + data)
            await reader.read()

    await repeat(target, ENDLESS_GZIP, work)


async def visit_backtracking_pages(target: Target) -> None:
    """Visit pages on which a pattern of LOGS_RULES would backtrack."""
    body = json.dumps({"visits": [{"page_url": f"/{'a' * 2000}!"}] * 100}).encode()

    async def work(_index: int) -> None:
        async with connection(target) as (reader, writer):
            writer.write(target.post("/visits", body, "Connection: close"))
            await reader.read()

    await repeat(target, PATTERNS, work)


ATTACKS: dict[str, Callable[[Target], Coroutine[Any, Any, None]]] = {
    "exports unread": leave_exports_unread,
    "heavy reads": ask_for_statistics,
    "silent connections": connect_silently,
    "trickling bodies": trickle_bodies,
    "sign-ups": sign_up,
    "gzip without end": send_endless_gzip,
    "backtracking patterns": visit_backtracking_pages,
}


@dataclass(frozen=True, slots=True)
class Effort:
    """What an attack took: so many connections, and so much of a core."""

    connections: int
    core: float


def run_attack(name: str, target: Target) -> Effort:
    """Run an attack; return what it took."""
    first, begin, cpu = next(connections), time.monotonic(), time.process_time()
    asyncio.run(ATTACKS[name](target))
    seconds = time.monotonic() - begin
    return Effort(next(connections) - first - 1, min(1.0, (time.process_time() - cpu) / seconds))


def compute(core: float, seconds: float) -> None:
    """Take as much of a core as an attack took, and ask nothing of any server."""
    end = time.monotonic() + seconds
    while (begin := time.monotonic()) < end:
        while time.monotonic() < begin + core * SLICE:
            pass
        time.sleep((1 - core) * SLICE)


@asynccontextmanager
async def attacker(cgroup: Path | None) -> AsyncIterator[Executor]:
    """Yield a process for attacks, once it has started.

    Their work is none of the measuring client's then. It has the lowest priority: an attacker brings his own
    machine, and takes no core of the server's.

    :param cgroup: that it leaves
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, come_last, (cgroup,)) as process:
        await asyncio.wrap_future(process.submit(os.getpid))
        yield process
