"""Statistics of events over HTTP, beside the SQL that counts the same in the table of events.

    python -m bench.event_statistics

Wall and CPU of the worker and of PostgreSQL together, warm; the first request of each is cold. BENCH_EVENTS
sets the number of events. It fails if one takes more CPU than it may.
"""

import asyncio
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from bench.event_rows import COLUMNS_OF_EVENTS, EVENTS, INSERT
from bench.many_rows import Served, serve_many_rows
from bench.postgres_cost import cpu_of, postgres_cpu
from bench.results import write_results
from db.database import Database
from db.sql import raw_statement_of
from service.events.merging import merge_events

ROUNDS = 3
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)
WHOLE = {"since": SINCE, "until": UNTIL}
FOLDER = Path(__file__).parent / "event_sql"
TARGET, FUNNEL_TARGET = 100, 500  # milliseconds of CPU at most, for 5,000,000 events
# Each question: its path, the SQL file that answers it in the table, and the parameters of that.
QUESTIONS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("by type", "/events/stats?group_by=type", "by_type", {}),
    ("by user", "/events/stats?group_by=user", "by_user", {}),
    ("by hour", "/events/stats?group_by=hour", "by_hour", {}),
    ("by day in Tokyo", "/events/stats?group_by=day&tz=Asia/Tokyo", "by_day", {"tz": "Asia/Tokyo"}),
    ("top events", "/stats/top-events?limit=10", "top_events", WHOLE | {"limit": 10}),
    (
        "active users of a day",
        "/stats/dau",
        "daily_active_users",
        WHOLE | {"tz": "UTC", "event_type": None, "property": None, "values": None},
    ),
    (
        "retention of 30 days",
        "/stats/retention?start=2026-01-01&windows=30",
        "retention",
        {"start": date(2026, 1, 1), "days": 1, "windows": 30, "tz": "UTC", **WHOLE},
    ),
    (
        "funnel of 3 steps",
        "/stats/funnel?steps=type_1,type_2,type_3",
        "funnel",
        {"within": timedelta(days=1)},
    ),
)


async def merge(url: str) -> None:
    database = Database.connect(url)
    await merge_events(database)
    await database.close()


async def measure(served: Served, data: Path) -> list[tuple[str, float, float, float, float, float]]:
    """Return for each question: its name, cold CPU, warm wall and CPU, wall and CPU of SQL, in ms."""
    connection = await asyncpg.connect(served.postgres_url)
    headers = {"Authorization": f"Bearer {served.token}"}
    rows = []

    def cpu() -> float:
        return (cpu_of(served.pid) + postgres_cpu(data)) * 1000

    async with aiohttp.ClientSession(f"http://127.0.0.1:{served.port}", headers=headers) as client:
        for name, path, file, parameters in QUESTIONS:
            times = []
            for _ in range(ROUNDS + 1):
                begin, before = time.perf_counter(), cpu()
                async with client.get(path) as response:
                    assert response.status == 200, await response.text()
                    await response.read()
                times.append(((time.perf_counter() - begin) * 1000, cpu() - before))
            sql, names = raw_statement_of((FOLDER / f"{file}.sql").read_text(encoding="utf-8"))
            begin, before = time.perf_counter(), cpu()
            await connection.fetch(sql, *(parameters[name] for name in names), timeout=None)
            reference = ((time.perf_counter() - begin) * 1000, cpu() - before)
            warm = [sum(values) / ROUNDS for values in zip(*times[1:], strict=True)]
            rows.append((name, times[0][1], *warm, *reference))
    await connection.close()
    return rows


def main() -> None:
    with serve_many_rows("event", [INSERT, COLUMNS_OF_EVENTS], EVENTS) as served:
        asyncio.run(merge(served.postgres_url))
        data = Path(served.postgres_url.rpartition("host=")[2].partition("&")[0]).parent
        results = asyncio.run(measure(served, data))
    rows = [
        (name, *(f"{value:.0f}" for value in values), f"{values[-1] / max(1, values[2]):.1f}")
        for name, *values in results
    ]
    columns = ("question", "cold CPU (ms)", "wall", "CPU", "wall of SQL", "CPU of SQL", "times less CPU")
    write_results(f"Statistics of {EVENTS:,} events", columns, rows)
    slow = [name for name, _, _, cpu, *_ in results if cpu > (FUNNEL_TARGET if "funnel" in name else TARGET)]
    if slow and EVENTS == 5_000_000:
        sys.exit(f"more CPU than {TARGET} ms ({FUNNEL_TARGET} for the funnel): {', '.join(slow)}")


if __name__ == "__main__":
    os.environ.setdefault("RATE_LIMIT_PER_MINUTE", "0")
    main()
