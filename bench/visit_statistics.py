"""Statistics of visits over HTTP, beside the SQL that counts the same in the table of rows, and DuckDB.

    python -m bench.visit_statistics

Wall and CPU of the worker and of PostgreSQL together, warm; the first request of each is cold. The period of
each request is its own, or the answer of the one before would do. DuckDB has the rows in memory, and one
process. BENCH_VISITS sets the number of visits. It fails if one takes more CPU than it may.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import asyncpg
import duckdb

from bench.many_rows import Served
from bench.postgres_cost import cpu_of, postgres_cpu
from bench.reference_visits import INDEXES, TABLE, export
from bench.results import write_results
from bench.visit_rows import VISITS, serve_many_visits
from db.database import Database
from service.visits.merging import VisitMerger

ROUNDS = 5
ZONE = "Asia/Tokyo"
TARGETS = {1_000_000: 100, 5_000_000: 250, 20_000_000: 500}  # milliseconds of CPU at most, by visits
TIMES = 8  # less CPU than SQL at least
TIME_GROUPS = ("hour", "day", "week", "month")
COLUMNS = {"page": "page_url", "user": "user_id", "category": "category_id"}
GROUPS: tuple[tuple[str, ...], ...] = (
    (),
    ("page",),
    ("user",),
    ("country",),
    ("category",),
    ("kind",),
    *((unit,) for unit in TIME_GROUPS),
    ("country", "day"),
    ("page", "hour"),
    ("page", "country"),
    ("user", "page"),
)
BUSY = 503
Cpu = Callable[[], float]


def sql_of(groups: tuple[str, ...]) -> str:
    """Return the SQL that counts the same, also for DuckDB."""
    expressions = [
        f"date_trunc('{name}', occurred_at)" if name in TIME_GROUPS else COLUMNS.get(name, name)
        for name in groups
    ]
    keys = "".join(f"{expression} AS group_{number}, " for number, expression in enumerate(expressions))
    names = [f"group_{number}" for number in range(len(groups))]
    return f"""
        SELECT {keys}count(*) AS visits, count(DISTINCT address) AS visitors,
            min(occurred_at) AS first, max(occurred_at) AS last
        FROM reference_visit
        {"GROUP BY " + ", ".join(names) if names else ""}
        ORDER BY {", ".join(["visits DESC", *names])} LIMIT 51"""


async def measure(work: Callable[[], Awaitable[object]], cpu: Cpu) -> tuple[float, float]:
    """Return the milliseconds of wall and of CPU that work takes."""
    begin, before = time.perf_counter(), cpu()
    await work()
    return (time.perf_counter() - begin) * 1000, (cpu() - before) * 1000


class Server:
    """Asks for statistics, each time of another period that holds all visits."""

    def __init__(self, client: aiohttp.ClientSession, cpu: Cpu) -> None:
        self._client, self._cpu = client, cpu
        self._until = datetime(2027, 1, 1, tzinfo=UTC)

    async def measure(self, groups: tuple[str, ...]) -> tuple[float, float, float, float]:
        """Return the CPU of the first request, wall and CPU of the next ones, and wall beside writers."""
        ask = partial(self.ask, groups)
        _, cold = await measure(ask, self._cpu)
        times = [await measure(ask, self._cpu) for _ in range(ROUNDS)]
        wall, warm = (sum(values) / ROUNDS for values in zip(*times, strict=True))
        async with self.storing_visits():
            busy = sorted([(await measure(ask, self._cpu))[0] for _ in range(ROUNDS)])
        return cold, wall, warm, busy[ROUNDS // 2]

    async def ask(self, groups: tuple[str, ...]) -> None:
        self._until += timedelta(seconds=1)
        query = {"tz": ZONE, "traffic": "all", "to": f"{self._until:%FT%TZ}"}
        query |= {"group_by": ",".join(groups)} if groups else {}
        status = BUSY
        while status == BUSY:  # the first request, on a machine that does much else
            async with self._client.get("/visits/stats", params=query) as response:
                status = response.status
                assert status in (200, BUSY), await response.text()
                await response.read()

    @asynccontextmanager
    async def storing_visits(self) -> AsyncIterator[None]:
        """Store live visits one after the other meanwhile."""

        async def store() -> None:
            while True:
                async with self._client.post("/visits", json={"page_url": "/category_1/"}) as response:
                    await response.read()

        task = asyncio.create_task(store())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def merge(url: str) -> None:
    """Put live visits into parts, as a server does in the background."""
    database = Database.connect(url)
    await VisitMerger(database, lambda: datetime.now(UTC)).merge()
    await database.close()


async def make_reference(url: str, csv: Path) -> None:
    await export(url, csv)
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    await connection.copy_to_table("reference_visit", source=csv, format="csv")
    for index in INDEXES.split(";"):
        if index.strip() and "(request_id)" not in index:  # its keys are cut short: not all are unique
            await connection.execute(index, timeout=None)
    await connection.execute("ANALYZE reference_visit")
    await connection.close()


def make_duckdb(csv: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{ZONE}'")
    connection.execute(TABLE.replace('COLLATE "C"', "").replace("inet", "text"))
    connection.execute(f"COPY reference_visit FROM '{csv}' (FORMAT csv, HEADER false)")
    return connection


async def count_in_memory(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    await asyncio.to_thread(lambda: connection.execute(sql).fetchnumpy())


async def measure_all(served: Served, csv: Path) -> list[tuple[str, list[float]]]:
    """Return the figures of each grouping, in the order of the table."""
    await merge(served.postgres_url)
    await make_reference(served.postgres_url, csv)
    memory = make_duckdb(csv)
    data = Path(served.postgres_url.rpartition("host=")[2].partition("&")[0]).parent
    connection = await asyncpg.connect(served.postgres_url, server_settings={"timezone": ZONE, "jit": "off"})
    headers, rows = {"Authorization": f"Bearer {served.token}"}, []

    def cpu() -> float:
        return cpu_of(served.pid) + postgres_cpu(data)

    async with aiohttp.ClientSession(f"http://127.0.0.1:{served.port}", headers=headers) as client:
        server = Server(client, cpu)
        for groups in GROUPS:
            cold, wall, warm, busy = await server.measure(groups)
            sql = sql_of(groups)
            _, reference = await measure(partial(connection.fetch, sql, timeout=None), cpu)
            count = partial(count_in_memory, memory, sql)
            await count()
            _, duck = await measure(count, time.process_time)
            figures = [cold, wall, warm, busy, reference, duck, reference / max(1, warm)]
            rows.append((", ".join(groups) or "nothing", figures))
            print(rows[-1], file=sys.stderr, flush=True)
    await connection.close()
    memory.close()
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="trawl-bench-") as folder, serve_many_visits() as served:
        results = asyncio.run(measure_all(served, Path(folder) / "visits.csv"))
    columns = (
        "by",
        "cold CPU (ms)",
        "wall",
        "CPU",
        "wall beside writers",
        "CPU of SQL",
        "CPU of DuckDB",
        "times less CPU than SQL",
    )
    rows = [
        (name, *(f"{value:.0f}" for value in values[:-1]), f"{values[-1]:.1f}") for name, values in results
    ]
    write_results(f"Statistics of {VISITS:,} visits beside SQL", columns, rows)
    target = TARGETS.get(VISITS)
    slow = [name for name, values in results if target and (values[2] > target or values[-1] < TIMES)]
    if slow:
        sys.exit(f"more CPU than {target} ms, or an {TIMES}th of that of SQL: {', '.join(slow)}")


if __name__ == "__main__":
    main()
