"""An authenticated POST of one visit: Trawl beside a bare Sanic route that inserts one row.

Both check a JWT and ask Valkey once, each in one worker of the same HTTP server; their turns alternate. The
bare route inserts into a table of the visit's columns and key. Trawl also counts the request, classifies the
page, and stores the visit's address and roll-ups. Their cost is measured beside a Trawl whose statements
leave them out.
"""

import asyncio
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg

from bench.authenticated_get import TOKENS, measure, prepare, serving, trawl_app
from bench.bare_apps import sanic_app
from bench.results import write_results
from db.queries import live_visits
from db.sql import raw_statement
from embedded import open_servers

CLIENTS = (1, 8, 32)
ROUNDS = 9
TARGET = 1.5  # times what the bare route takes at most
ROLLUPS_TARGET = 1.2  # times what a Trawl without roll-ups takes at most
ROLLUPS = (
    "quarters",
    "category_quarters",
    "country_days",
    "category_country_days",
)  # names of their parts in the statements
BARE_TABLE = """
    CREATE TABLE bare_visit (LIKE live_visit INCLUDING DEFAULTS);
    ALTER TABLE bare_visit ADD PRIMARY KEY (occurred_at, request_id)
"""


def row_of(clients: int, results: dict[str, list[tuple[float, float]]]) -> tuple[str, ...]:
    """Make the table row for a number of clients; costs are medians over pairs of turns."""
    cells = [str(clients)]
    for rounds in results.values():
        rate, cpu = (statistics.median(figures) for figures in zip(*rounds, strict=True))
        cells.append(f"{rate:.0f} ({min(rounds)[0]:.0f} to {max(rounds)[0]:.0f}), {cpu:.0f} us")
    for reference, target in (("bare sanic", TARGET), ("no roll-ups", ROLLUPS_TARGET)):
        pairs = zip(results[reference], results["trawl"], strict=True)
        cost = statistics.median(other / ours for (other, _), (ours, _) in pairs)
        cells += [f"{cost:.2f}", "yes" if cost <= target else "no"]
    return tuple(cells)


def app_without_rollups(*of_trawl: Any) -> Any:
    """Make Trawl with statements that store visits without roll-ups; changes the process."""

    @cache
    def without(name: str) -> tuple[str, tuple[str, ...]]:
        sql, names = raw_statement(name)
        for step in ROLLUPS:
            sql, count = re.subn(rf"(?s)\n{step} AS \(.*?\n\),", f"\n{step} AS (SELECT 1 WHERE FALSE),", sql)
            assert count == 1
        return sql, names

    patch.object(live_visits, "raw_statement", without).start()
    return trawl_app(*of_trawl)


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
    rows = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(open_servers(folder, postgres=True, valkey=True))
        postgres_url, redis_url = str(servers.postgres_url), str(servers.redis_url)
        token = asyncio.run(prepare(postgres_url, redis_url))
        asyncio.run(make_bare_table(postgres_url))
        apps: dict[str, Callable[[], Any]] = {
            "trawl": lambda: trawl_app(postgres_url, redis_url, folder),
            "no roll-ups": lambda: app_without_rollups(postgres_url, redis_url, folder),
            "bare sanic": lambda: sanic_app(postgres_url, redis_url, TOKENS.key),
        }
        with Path(os.devnull).open("w") as nowhere:
            sys.stderr, before = nowhere, sys.stderr  # the workers' logs are formatted, then discarded
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
            rows.append(row_of(clients, results))
    costs = ("trawl / bare", f"at most {TARGET}", "trawl / no roll-ups", f"at most {ROLLUPS_TARGET}")
    columns = ("clients", *(f"{name}: visits/s, CPU each" for name in apps), *costs)
    write_results("POST of one visit beside a bare route", columns, rows)


if __name__ == "__main__":
    main()
