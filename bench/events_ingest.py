"""POST /events, 1000 a batch, from 4 clients: Trawl beside a bare Sanic route and FastAPI with the ORM.

All three write the same events to the same table, emptied before each turn, each in one worker of the same
HTTP server; their turns alternate. Trawl also authenticates, counts the request, and returns a verdict for
each event. `bad neighbour`: Trawl again, with one invalid event in each batch.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TextIO

import asyncpg
import orjson

from api.times import rfc3339
from bench.authenticated_get import cpu_seconds, prepare, serving, trawl_app
from bench.event_apps import fastapi_app, sanic_app
from embedded import open_servers

BATCHES, SIZE = 100, 1000
CLIENTS = 4
ROUNDS = 5
START = datetime(2026, 1, 1, tzinfo=UTC)


def make_event(rng: Random) -> dict[str, Any]:
    return {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128))),
        "user_id": rng.randrange(100_000),
        "event_type": f"type_{rng.randrange(20)}",
        "occurred_at": rfc3339(START + timedelta(microseconds=rng.randrange(90 * 86_400 * 10**6))),
        "properties": {
            "plan": rng.choice(("free", "pro", "team")),
            "amount": rng.randrange(1000),
            "page": f"/p/{rng.randrange(500)}",
        },
    }


def make_bodies(rng: Random, *, invalid: int) -> list[bytes]:
    """Make batches, each with so many invalid events."""
    bodies = []
    for _ in range(BATCHES):
        events = [make_event(rng) for _ in range(SIZE)]
        for _ in range(invalid):
            events[rng.randrange(SIZE)]["user_id"] = "seven"
        bodies.append(orjson.dumps({"events": events}))
    return bodies


async def post(port: int, token: str, bodies: list[bytes]) -> int:
    """Send all bodies over `CLIENTS` connections; returns how many events were created."""
    queue = iter(bodies)

    async def client() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        created = 0
        for body in queue:
            head = (
                f"POST /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            response = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert response.startswith(b"http/1.1 200"), response
            length = int(response.partition(b"content-length: ")[2].partition(b"\r")[0])
            created += orjson.loads(await reader.readexactly(length))["created"]
        writer.close()
        await writer.wait_closed()
        return created

    return sum(await asyncio.gather(*(client() for _ in range(CLIENTS))))


async def measure(
    postgres_url: str, worker: tuple[int, int], token: str, bodies: list[bytes], events: int
) -> tuple[float, float]:
    """Return events a second, and microseconds of the worker's CPU for each. `worker` is (port, process)."""
    port, pid = worker
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("TRUNCATE event")
    begin, cpu = time.perf_counter(), cpu_seconds(pid)
    created = await post(port, token, bodies)
    seconds, cpu = time.perf_counter() - begin, cpu_seconds(pid) - cpu
    assert created == events == await connection.fetchval("SELECT count(*) FROM event")
    await connection.close()
    return events / seconds, cpu / events * 1e6


def report(results: dict[str, list[tuple[float, float]]], out: TextIO) -> None:
    rates = {name: statistics.median(rate for rate, _ in rounds) for name, rounds in results.items()}
    for name, rounds in results.items():
        spread = f"{min(rounds)[0]:,.0f} to {max(rounds)[0]:,.0f}"
        cpu = statistics.median(cpu for _, cpu in rounds)
        print(f"{name:14} {rates[name]:8,.0f} events/s ({spread}), {cpu:5.1f} us of CPU each", file=out)
    ours = rates["trawl"]
    print(f"trawl / bare sanic:    {ours / rates['bare sanic']:.2f} (target: 0.8)", file=out)
    print(f"trawl / fastapi:       {ours / rates['fastapi']:.2f} (target: 5)", file=out)
    print(f"bad neighbour / trawl: {rates['bad neighbour'] / ours:.2f} (target: 0.6)", file=out)


def main() -> None:
    print(f"POST /events, {SIZE} a batch, {CLIENTS} clients")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(open_servers(folder, postgres=True, valkey=True))
        postgres_url, redis_url = str(servers.postgres_url), str(servers.redis_url)
        token = asyncio.run(prepare(postgres_url, redis_url))
        apps: dict[str, Callable[[], Any]] = {
            "trawl": lambda: trawl_app(postgres_url, redis_url, folder),
            "bare sanic": lambda: sanic_app(postgres_url),
            "fastapi": lambda: fastapi_app(postgres_url),
        }
        with Path(os.devnull).open("w") as nowhere:
            sys.stderr, before = nowhere, sys.stderr  # the workers' logs are formatted, then discarded
            workers = {name: stack.enter_context(serving(app)) for name, app in apps.items()}
            sys.stderr = before
        clean, dirty = make_bodies(Random(1), invalid=0), make_bodies(Random(1), invalid=1)
        turns = {
            "trawl": (clean, workers["trawl"]),
            "bare sanic": (clean, workers["bare sanic"]),
            "bad neighbour": (dirty, workers["trawl"]),
            "fastapi": (clean, workers["fastapi"]),
        }
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in turns}
        for turn in range(ROUNDS + 1):
            for name, (bodies, worker) in turns.items():
                events = len(bodies) * (SIZE - (bodies is dirty))
                result = asyncio.run(measure(postgres_url, worker, token, bodies, events))
                if turn:  # the first one warms up
                    results[name].append(result)
        report(results, sys.stdout)


if __name__ == "__main__":
    main()
