"""What a line, a statistic by day and a batch of live visits cost a Citus cluster, and one PostgreSQL.

    TRAWL_TEST_CITUS_URL=… python -m bench.cluster_cost [--rounds N]

All nodes of the cluster run on this machine. Both are measured in turns, in CPU of the servers' processes;
that of their clients is the same.
"""

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from bench.postgres_cost import postgres_cpu
from bench.results import write_results
from bench.shop_log import START, generate
from clients.geo import Geo
from commands.distribute import distribute_database
from db.database import Database
from db.distribution import select_workers
from db.migrate import migrate
from embedded import open_servers
from service.columns.store import ColumnStore
from service.visits.queries import count_visits
from service.visits.store import store_live_visits
from tests.support.citus import create_cluster_database, drop_cluster_database, url_of
from tests.support.live_cases import live_row
from tests.support.log_imports import Importer
from tests.support.visit_cases import NOTHING

LINES, STATISTICS, BATCHES, BATCH = 640_000, 100, 30, 100
AT_MOST_LINE, AT_MOST_STATISTIC, AT_MOST_BATCH = 0.5, 10.0, 3.0  # times one PostgreSQL's; ms; times
UNITS = {
    "a line": LINES,
    "a first statistic of 9 parts": 1,
    "a statistic by day": STATISTICS,
    f"a batch of {BATCH} live visits": BATCHES,
}
Cpu = tuple[float, float]  # seconds of the first server, which is the coordinator, and of the others


@dataclass(slots=True)
class Site:
    """A database, and the folders of its servers' data, that of the first one first."""

    db: Database
    folders: list[Path]
    spent: dict[str, list[Cpu]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Note what the block costs."""
        before = list(map(postgres_cpu, self.folders))
        yield
        first, *others = [
            postgres_cpu(folder) - seconds for folder, seconds in zip(self.folders, before, strict=True)
        ]
        self.spent[name].append((first, sum(others)))

    def costs(self, name: str) -> tuple[float, float]:
        """Return the microseconds of a unit: the medians of the rounds."""
        first, others = (median(values) / UNITS[name] * 1e6 for values in zip(*self.spent[name], strict=True))
        return first, others


async def folder_of(url: str) -> Path:
    connection = await asyncpg.connect(url)
    folder = Path(await connection.fetchval("SHOW data_directory"))
    await connection.close()
    return folder


async def folders_of_cluster(url: str) -> list[Path]:
    connection = await asyncpg.connect(url)
    workers, user = await select_workers(connection), await connection.fetchval("SELECT current_user")
    await connection.close()
    urls = [url, *(url_of(worker, user, "postgres") for worker in workers)]
    return [await folder_of(each) for each in urls]


async def run_round(site: Site, geo: Geo, log: Path, day: int) -> None:
    with site.measured("a line"):
        await Importer(site.db, geo).read(log)
    with tempfile.TemporaryDirectory() as name:
        store = ColumnStore.under(Path(name), megabytes=256)
        with site.measured("a first statistic of 9 parts"):
            await ask(site.db, store, START + timedelta(days=day + 45))
        with site.measured("a statistic by day"):
            for number in range(STATISTICS):
                await ask(site.db, store, START + timedelta(days=day + 1, seconds=number))
    with site.measured(f"a batch of {BATCH} live visits"):
        for number in range(BATCHES):
            at = START + timedelta(days=day, seconds=number)
            await store_live_visits(site.db, [live_row(f"/page-{n}/", occurred_at=at) for n in range(BATCH)])


async def ask(db: Database, store: ColumnStore, until: datetime) -> None:
    page: dict[str, Any] = {"after": None, "limit": 1000, "offset": 0}
    where = NOTHING | {"since": until - timedelta(days=45), "until": until}
    await count_visits(db, store, **where, group_by=("day",), tz="UTC", **page)


async def measure(plain_url: str, folder: Path, cluster_url: str, rounds: int) -> tuple[Site, Site]:
    await migrate(plain_url)
    await distribute_database(cluster_url, dry_run=False)
    plain = Site(Database.connect(plain_url), [folder])
    cluster = Site(Database.connect(cluster_url), await folders_of_cluster(cluster_url))
    geo, days = Geo.open(), count(0, 45)
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "shop.log"
        for number in range(rounds + 1):
            day = next(days)
            lines = LINES if number else 20_000  # the first round warms up
            log.write_text("".join(generate(lines, number, start=START + timedelta(days=day))))
            for site in (plain, cluster) if number % 2 else (cluster, plain):
                await run_round(site, geo, log, day)
                if not number:
                    site.spent.clear()
    for site in (plain, cluster):
        await site.db.close()
    return plain, cluster


def write(plain: Site, cluster: Site) -> bool:
    """Return whether all is as cheap as it should be."""
    rows, is_good = [], True
    for name in UNITS:
        one, (first, others) = plain.costs(name)[0], cluster.costs(name)
        if "line" in name:
            target, good = f"at most {AT_MOST_LINE} x", first <= AT_MOST_LINE * one
        elif "first" in name:
            target, good = "", True
        elif "statistic" in name:
            target, good = f"at most {AT_MOST_STATISTIC:.0f} ms", first <= AT_MOST_STATISTIC * 1000
        else:
            target, good = f"at most {AT_MOST_BATCH:.0f} x", first + others <= AT_MOST_BATCH * one
        figures = [f"{microseconds:,.1f}" for microseconds in (one, first, others)]
        rows.append(
            [name, *figures, f"{first / one:.2f}", target, ("yes" if good else "no") if target else ""]
        )
        is_good = is_good and good
    columns = ["microseconds of CPU", "one PostgreSQL", "coordinator", "workers", "coordinator / one"]
    write_results("A Citus cluster beside one PostgreSQL", [*columns, "target", "met"], rows)
    return is_good


async def run(rounds: int, plain_url: str, folder: Path) -> bool:
    url, name = os.environ["TRAWL_TEST_CITUS_URL"], f"trawl_{secrets.token_hex(6)}"
    cluster_url = await create_cluster_database(url, name)
    try:
        return write(*await measure(plain_url, folder, cluster_url, rounds))
    finally:
        await drop_cluster_database(url, name)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster_cost")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        with open_servers(Path(name), postgres=True, valkey=False) as servers:
            return 0 if asyncio.run(run(rounds, str(servers.postgres_url), Path(name))) else 1


if __name__ == "__main__":
    sys.exit(main())
