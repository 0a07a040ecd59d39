"""GET /events/export of millions of events: how much memory the worker takes more than when it is idle.

BENCH_EVENTS sets how many events there are.
"""

import asyncio
import sys
import time
from pathlib import Path

import aiohttp

from bench.event_rows import EVENTS, Served, many_events_served

WANTED = 100  # MB


def resident(pid: int) -> float:
    """Memory that a process holds, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def export(served: Served, form: str) -> tuple[int, float]:
    """Lines of the export, and the most memory that the worker held meanwhile."""
    most, lines = resident(served.pid), 0
    headers = {"Authorization": f"Bearer {served.token}"}
    async with (
        aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout()) as client,
        client.get(f"http://127.0.0.1:{served.port}/events/export?format={form}") as response,
    ):
        async for chunk in response.content.iter_chunked(2**20):
            lines += chunk.count(b"\n")
            most = max(most, resident(served.pid))
    return lines, most


def main() -> None:
    print("GET /events/export")
    with many_events_served() as served:
        idle, worst = resident(served.pid), 0.0
        for form in ("ndjson", "csv"):
            begin = time.perf_counter()
            lines, most = asyncio.run(export(served, form))
            seconds = time.perf_counter() - begin
            assert lines == EVENTS + (form == "csv"), lines
            worst = max(worst, most - idle)
            print(
                f"{form:6} {lines / seconds:9,.0f} events/s, {most - idle:5.1f} MB over idle ({idle:.0f} MB)"
            )
    print(f"worst: {worst:.1f} MB over idle (wanted: {WANTED})")
    sys.exit(worst > WANTED)


if __name__ == "__main__":
    main()
