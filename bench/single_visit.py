"""POST of one visit by somebody who is signed in: Trawl beside a bare Sanic route that inserts one row.

Both check a JWT and ask Valkey once, each in one worker of the same HTTP server; their turns alternate. The
bare route inserts into a table of the visit's columns and key. Trawl also counts the request, classifies the
page, and stores with the visit its address and the roll-ups that count it.
"""

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import asyncpg

from bench.authenticated_get import TOKENS, measure, prepare, serving, trawl_app
from bench.bare_apps import sanic_app
from embedded import open_servers

CLIENTS = (1, 8, 32)
ROUNDS = 5
BARE_TABLE = """
    CREATE TABLE bare_visit (LIKE visit INCLUDING DEFAULTS);
    ALTER TABLE bare_visit ADD PRIMARY KEY (occurred_at, request_id)
"""


def report(results: dict[str, list[tuple[float, float]]], clients: int, out: TextIO) -> None:
    rates = {name: statistics.median(rate for rate, _ in rounds) for name, rounds in results.items()}
    for name, rounds in results.items():
        spread = f"{min(rounds)[0]:.0f} to {max(rounds)[0]:.0f}"
        cpu = statistics.median(cpu for _, cpu in rounds)
        figures = f"{rates[name]:6.0f} visits/s ({spread}), {cpu:4.0f} us of CPU each"
        print(f"{clients:2} clients, {name:10} {figures}", file=out)
    cost = rates["bare sanic"] / rates["trawl"]
    print(f"{clients:2} clients, cost of trawl / bare sanic: {cost:.2f} (wanted: at most 1.5)", file=out)


async def make_bare_table(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(BARE_TABLE)
    await connection.close()


def request_of(token: str) -> bytes:
    body = b'{"page_url": "https://shop.example/fresh_fish/salmon/"}'
    head = f"POST /visits HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"{head}{kind}".encode() + body


def main() -> None:
    print("POST of one visit")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(open_servers(folder, postgres=True, valkey=True))
        postgres_url, redis_url = str(servers.postgres_url), str(servers.redis_url)
        token = asyncio.run(prepare(postgres_url, redis_url))
        asyncio.run(make_bare_table(postgres_url))
        apps: dict[str, Callable[[], Any]] = {
            "trawl": lambda: trawl_app(postgres_url, redis_url, folder),
            "bare sanic": lambda: sanic_app(postgres_url, redis_url, TOKENS.key),
        }
        out = sys.stdout
        with Path(os.devnull).open("w") as nowhere:
            sys.stderr, before = nowhere, sys.stderr  # the workers' log lines are made, and go nowhere
            workers = {name: stack.enter_context(serving(app)) for name, app in apps.items()}
            sys.stderr = before
        request = request_of(token)
        for clients in CLIENTS:
            results: dict[str, list[tuple[float, float]]] = {name: [] for name in apps}
            for turn in range(ROUNDS + 1):
                for name, (port, pid) in workers.items():
                    result = asyncio.run(measure(port, pid, request, clients))
                    if turn:  # the first one warms up
                        results[name].append(result)
            report(results, clients, out)


if __name__ == "__main__":
    main()
