"""What lists, reports, statistics and the profile cost, beside a bare Sanic route that reads one row.

Each is asked again and again in one worker of the same HTTP server, in turns. The worker's CPU counts.
"""

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

from bench.authenticated_get import ACCOUNTS, TOKENS, measure, prepare, serving, trawl_app
from bench.bare_apps import sanic_app
from bench.many_rows import fill
from bench.visit_rows import MADE, NAMES, STORED
from embedded import open_servers

PATHS = (
    "/profile",
    "/tasks",
    "/user/all",
    "/visits",
    "/visits?to=2026-03-31T22:{}Z",  # another list each time, which nobody has asked for before
    "/events",
    "/movies/favorites",
    "/report/1",
    "/report/3",
    "/report/5",
    "/report/7",
    "/visits/stats?group_by=kind",
)
TARGET = 2.0  # times the CPU of the bare route
ROUNDS = 3
VISITS = 20_000  # of which lists show 50: an empty list costs half as much


def requests_of(path: str, token: str) -> Iterator[bytes]:
    """Yield requests, in whose path one of an hour's seconds stands for braces."""
    for second in cycle(range(3600)):
        target = path.format(f"{second // 60:02}:{second % 60:02}")
        head = f"GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
        yield head.encode()


def main() -> None:
    print("CPU of the worker for a read")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(open_servers(folder, postgres=True, valkey=True))
        postgres_url, redis_url = str(servers.postgres_url), str(servers.redis_url)
        token = asyncio.run(prepare(postgres_url, redis_url))
        asyncio.run(fill(postgres_url, "live_visit", [*NAMES, MADE, *STORED], VISITS))
        apps: dict[str, Callable[[], Any]] = {
            "trawl": lambda: trawl_app(postgres_url, redis_url, folder),
            "bare": lambda: sanic_app(postgres_url, redis_url, TOKENS.key),
        }
        with Path(os.devnull).open("w") as nowhere:
            sys.stderr, before = nowhere, sys.stderr  # the workers' logs are formatted, then discarded
            workers = {name: stack.enter_context(serving(app)) for name, app in apps.items()}
            sys.stderr = before
        requests = {path: (workers["trawl"], path) for path in PATHS}
        requests["bare"] = (workers["bare"], f"/tasks/{ACCOUNTS // 2}")
        cpu: dict[str, list[float]] = {name: [] for name in requests}
        for turn in range(ROUNDS + 1):
            for name, ((port, pid), path) in requests.items():
                _, microseconds = asyncio.run(measure(port, pid, requests_of(path, token), clients=2))
                if turn:  # the first one warms up
                    cpu[name].append(microseconds)
    bare = statistics.median(cpu["bare"])
    for name, values in cpu.items():
        ours = statistics.median(values)
        print(f"{name:28} {ours:6.0f} us of CPU, {ours / bare:4.1f} x the bare route (target: {TARGET:g})")


if __name__ == "__main__":
    main()
