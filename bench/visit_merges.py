"""Live visits that are merged into parts: how many a second, how long others wait meanwhile, and the disk.

A writer stores one visit after the other, beside merges and without. BENCH_VISITS sets how many are merged.
"""

import asyncio
import os
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from bench.results import write_results
from db.database import Database
from db.migrate import migrate
from embedded import open_servers
from service.visits.merging import VisitMerger
from service.visits.store import store_live_visits
from tests.support.live_cases import live_row

VISITS = int(os.environ.get("BENCH_VISITS", "400000"))
QUIET_SECONDS = 5.0
FILL = """
    INSERT INTO live_visit (
        occurred_at, request_id, position, source, kind, address, country, user_id, cart_id, goods_id, amount,
        page_url
    )
    SELECT
        timestamptz '2026-01-01' + n * interval '1 second', gen_random_uuid()::text, n, 'api',
        CASE WHEN n % 11 = 0 THEN 'cart' ELSE 'other' END,
        inet '20.0.0.0' + n * 7919 % 200000, 'US', n % 50000,
        CASE WHEN n % 11 = 0 THEN n / 20 + 1 END, CASE WHEN n % 11 = 0 THEN 1 + n % 50 END,
        CASE WHEN n % 11 = 0 THEN 1 END,
        CASE
            WHEN n % 11 = 0
                THEN 'https://shop.example/cart?goods_id=' || 1 + n % 50 || '&amount=1&cart_id=' || n / 20 + 1
            ELSE 'https://shop.example/page_' || n % 2000 || '/'
        END
    FROM generate_series(1, $1::bigint) AS n
"""
SIZES = "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest($1::text[]) AS name"


@dataclass(slots=True)
class Writer:
    """Stores single visits and notes how long each takes."""

    db: Database
    seconds: list[float] = field(default_factory=list)

    async def run(self, over: asyncio.Event) -> None:
        while not over.is_set():
            begin = time.perf_counter()
            await store_live_visits(self.db, [live_row("/", occurred_at=datetime.now(UTC))])
            self.seconds.append(time.perf_counter() - begin)

    def figures(self) -> str:
        """Return the median, the 99th percentile and the longest."""
        ranked = sorted(self.seconds)
        some = (ranked[len(ranked) // 2], ranked[len(ranked) * 99 // 100], ranked[-1])
        return ", ".join(f"{1000 * seconds:.1f}" for seconds in some) + " ms"


async def measure(url: str) -> tuple[str, ...]:
    await migrate(url)
    connection = await asyncpg.connect(url)
    await connection.execute(FILL, VISITS)
    await connection.execute(
        "INSERT INTO address (address, country) SELECT DISTINCT address, 'US' FROM live_visit"
    )
    await connection.execute("VACUUM ANALYZE")
    before = await connection.fetchval(SIZES, ["live_visit"])
    db, over = Database.connect(url, pool_size=5), asyncio.Event()
    alone, beside = Writer(db), Writer(db)
    task = asyncio.create_task(alone.run(over))
    await asyncio.sleep(QUIET_SECONDS)
    over.set()
    await task
    over = asyncio.Event()
    task, begin = asyncio.create_task(beside.run(over)), time.perf_counter()
    await VisitMerger(db, lambda: datetime.now(UTC)).merge()
    seconds = time.perf_counter() - begin
    over.set()
    await task
    await db.close()
    merged = await connection.fetchval("SELECT sum(visits) FROM visit_part")
    parts = await connection.fetchval("SELECT count(*) FROM visit_part")
    after = await connection.fetchval(SIZES, ["visit_part", "visit_part_columns", "merged_visit"])
    await connection.close()
    sizes = f"{before / VISITS:.0f}, {after / merged:.0f}"
    return (f"{merged:,} in {parts}", f"{merged / seconds:,.0f}", alone.figures(), beside.figures(), sizes)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        with open_servers(Path(name), postgres=True, valkey=False) as servers:
            row = asyncio.run(measure(str(servers.postgres_url)))
    columns = (
        "visits, parts",
        "visits/s",
        "one visit alone: p50, p99, longest",
        "beside merges",
        "bytes a visit, as rows and in parts",
    )
    write_results("Live visits merged into parts", columns, [row])


if __name__ == "__main__":
    main()
