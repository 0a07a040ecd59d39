"""Views that pages of sites report: how many one worker stores, and what they cost and make others wait.

Every answer that says `stored` is counted, and must be a row in the end. Beside the load, a client of another
address reads one row again and again. The reference is a bare Sanic route in the same run, which answers 202
to the same requests and stores nothing.

Then 10,000 views are offered at once, from as many addresses as may have a quarter of them stored in a
minute: the rest must be told as dropped, and no other client may wait for long.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
from sanic import Request, Sanic
from sanic.response import HTTPResponse

from bench.authenticated_get import ACCOUNTS, cpu_seconds, prepare, serving, trawl_app
from bench.postgres_cost import postgres_cpu
from bench.results import write_results
from embedded import open_servers

CLIENTS = (1, 32, 256)  # connections, each with one view under way
OFFERED, ADDRESSES, VIEWS = 10_000, 8, 300  # views at once, from so many addresses; the limit of each
SECONDS = 5.0
OTHER_ADDRESS = "127.0.0.2"  # requests of an address wait for each other, and for few of other addresses
KEY, ORIGIN = "the-key-of-a-site", "https://shop.example"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MAKE_SITE = "INSERT INTO site (key, name, origins, created_at) VALUES ($1, 'shop', $2, now())"


def view_request(key: str = KEY) -> bytes:
    body = json.dumps({"site": key, "page_url": f"{ORIGIN}/fresh_fish/salmon/", "referrer": ""}).encode()
    head = f"POST /collect HTTP/1.1\r\nHost: a\r\nOrigin: {ORIGIN}\r\nUser-Agent: {AGENT}\r\n"
    return f"{head}Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Send a request, and return the body of its response."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith((b"http/1.1 200", b"http/1.1 202")), head
    return await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r")[0]))


async def report_views(port: int, until: float) -> Counter[str]:
    """Report one view after the other on one connection; return how many became what."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    outcomes: Counter[str] = Counter()
    while time.perf_counter() < until:
        outcomes[json.loads(await exchange(reader, writer, view_request()))["status"]] += 1
    writer.close()
    await writer.wait_closed()
    return outcomes


async def read_rows(port: int, token: str, until: float) -> list[float]:
    """Read one row again and again; return the milliseconds that each answer took."""
    path = f"/tasks/{ACCOUNTS // 2}"
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(OTHER_ADDRESS, 0))
    waits = []
    while time.perf_counter() < until:
        start = time.perf_counter()
        await exchange(reader, writer, request)
        waits.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(0.02)
    writer.close()
    await writer.wait_closed()
    return waits


async def measure(port: int, pid: int, token: str, clients: int) -> tuple[tuple[str, ...], int]:
    """Make the table row for a number of clients. Return it, and how many views were told as stored."""
    begin, cpu = time.perf_counter(), cpu_seconds(pid)
    until = begin + SECONDS
    reporting = [asyncio.create_task(report_views(port, until)) for _ in range(clients)]
    waits = await read_rows(port, token, until)
    counts = await asyncio.gather(*reporting)
    seconds, cpu = time.perf_counter() - begin, cpu_seconds(pid) - cpu
    outcomes = sum(counts, Counter[str]())
    stored, total = outcomes["stored"], outcomes.total()
    cells = [
        str(clients),
        f"{stored / seconds:.0f}",
        str(total - stored),
        f"{cpu / max(total, 1) * 1e6:.0f} us",
    ]
    cells.append(f"{cpu / seconds:.0%}")
    cells.append(f"{statistics.median(waits):.0f}, {statistics.quantiles(waits, n=20)[-1]:.0f} ms")
    return tuple(cells), stored


async def offer(port: int, address: str, count: int) -> Counter[str]:
    """Send so many views of an address at once; return how many became what."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(view_request() * count)
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        outcomes[json.loads(await exchange(reader, writer, b""))["status"]] += 1
    writer.close()
    await writer.wait_closed()
    return outcomes


async def measure_offered(port: int, pid: int, token: str) -> tuple[tuple[str, ...], int]:
    """Make the table row of the views that are offered at once. Return it, and how many were stored."""
    begin, cpu = time.perf_counter(), cpu_seconds(pid)
    share, addresses = OFFERED // ADDRESSES // 10, [f"127.0.1.{number}" for number in range(1, ADDRESSES + 1)]
    offered = asyncio.gather(*(offer(port, address, share) for address in addresses for _ in range(10)))
    waits = list[float]()
    while not offered.done():
        waits += await read_rows(port, token, time.perf_counter() + 0.5)
    outcomes = sum(await offered, Counter[str]())
    seconds, cpu = time.perf_counter() - begin, cpu_seconds(pid) - cpu
    total, stored = outcomes.total(), outcomes["stored"]
    cells = (str(total), str(stored), str(total - stored), f"{seconds:.1f} s", f"{cpu / total * 1e6:.0f} us")
    return (
        *cells,
        f"{statistics.median(waits):.0f}, {statistics.quantiles(waits, n=100)[-1]:.0f} ms",
    ), stored


def bare_app() -> Sanic[Any, Any]:
    """Make an app that says of any view that it was stored."""
    app = Sanic("bare_collect", configure_logging=False)

    @app.post("/collect")
    async def collect(_request: Request) -> HTTPResponse:
        return HTTPResponse(b'{"status":"stored"}', 202, content_type="application/json")

    return app


async def measure_bare(port: int, pid: int, clients: int) -> str:
    """Return how many requests a second the reference answers, and its CPU for each."""
    begin, cpu = time.perf_counter(), cpu_seconds(pid)
    reporting = (report_views(port, begin + SECONDS) for _ in range(clients))
    total = sum(await asyncio.gather(*reporting), Counter[str]()).total()
    seconds, cpu = time.perf_counter() - begin, cpu_seconds(pid) - cpu
    return f"{total / seconds:.0f} a second, {cpu / total * 1e6:.0f} us"


async def count_views(postgres_url: str) -> int:
    connection = await asyncpg.connect(postgres_url)
    count: int = await connection.fetchval("SELECT count(*) FROM live_visit WHERE source = 'site'")
    await connection.close()
    return count


async def make_site(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(MAKE_SITE, KEY, [ORIGIN])
    await connection.close()


def main() -> int:
    rows, views = [], 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(open_servers(folder, postgres=True, valkey=True))
        postgres_url, redis_url = str(servers.postgres_url), str(servers.redis_url)
        token = asyncio.run(prepare(postgres_url, redis_url))
        asyncio.run(make_site(postgres_url))
        with Path("/dev/null").open("w") as nowhere:
            sys.stderr, before = nowhere, sys.stderr  # the worker's log is formatted, then discarded
            port, pid = stack.enter_context(serving(lambda: trawl_app(postgres_url, redis_url, folder)))
            limited = stack.enter_context(
                serving(lambda: trawl_app(postgres_url, redis_url, folder, views=VIEWS))
            )
            bare_port, bare_pid = stack.enter_context(serving(bare_app))
            sys.stderr = before
        for clients in CLIENTS:
            spent = postgres_cpu(folder)
            row, stored = asyncio.run(measure(port, pid, token, clients))
            spent = (postgres_cpu(folder) - spent) / max(stored, 1) * 1e6
            bare = asyncio.run(measure_bare(bare_port, bare_pid, clients))
            rows.append((*row, f"{spent:.0f} us", bare))
            views += stored
        offered, stored = asyncio.run(measure_offered(*limited, token))
        views += stored
        count = asyncio.run(count_views(postgres_url))
    columns = (
        "clients",
        "stored a second",
        "not stored",
        "CPU each",
        "of a core",
        "another's GET: median, p95",
        "PostgreSQL's CPU each",
        "a bare route",
    )
    write_results("Views that pages of sites report, one worker", columns, rows)
    names = ("offered", "stored", "dropped", "in", "CPU each", "another's GET: median, p99")
    write_results(f"{OFFERED:,} views that pages report at once, one worker", names, [offered])
    print(f"told as stored: {views}; rows: {count}")
    return int(views != count)


if __name__ == "__main__":
    sys.exit(main())
