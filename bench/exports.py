"""GET /events/export and /visits/export of millions of rows: the worker's memory above idle.

BENCH_EVENTS and BENCH_VISITS set the numbers of rows.
"""

import asyncio
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import aiohttp

from bench.event_rows import EVENTS, serve_many_events
from bench.many_rows import Served
from bench.results import write_results
from bench.visit_rows import VISITS, serve_many_visits

TARGET = 100  # MB over idle at most


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def export(served: Served, path: str) -> tuple[int, float]:
    """Read an export; returns its lines, and the worker's highest memory in MB."""
    most, lines = resident(served.pid), 0
    headers = {"Authorization": f"Bearer {served.token}"}
    async with (
        aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout()) as client,
        client.get(f"http://127.0.0.1:{served.port}{path}") as response,
    ):
        async for chunk in response.content.iter_chunked(2**20):
            lines += chunk.count(b"\n")
            most = max(most, resident(served.pid))
    return lines, most


def measure(name: str, rows: int, server: AbstractContextManager[Served]) -> list[tuple[str, float, float]]:
    """Return for each format its name, rows a second, and MB over idle."""
    results = []
    with server as served:
        idle = resident(served.pid)
        for form in ("ndjson", "csv"):
            begin = time.perf_counter()
            lines, most = asyncio.run(export(served, f"/{name}/export?format={form}"))
            assert lines == rows + (form == "csv"), lines
            results.append(
                (f"{rows:,} {name}, {form}", rows / (time.perf_counter() - begin), most - idle),
            )
    return results


def main() -> None:
    results = [
        *measure("events", EVENTS, serve_many_events()),
        *measure("visits", VISITS, serve_many_visits()),
    ]
    rows = [
        (name, f"{rate:,.0f}", f"{most:.1f}", "yes" if most <= TARGET else "no")
        for name, rate, most in results
    ]
    columns = ("export", "rows a second", "MB over idle", f"at most {TARGET} MB")
    write_results("Exports, and the memory they take", columns, rows)
    sys.exit(any(most > TARGET for _, _, most in results))


if __name__ == "__main__":
    main()
