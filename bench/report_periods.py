"""CPU of the seven reports with periods of their own, for bench/reports.py: no two ask for the same.

What is asked first finds no files of columns and carts; what is asked then finds those of all visits, which
somebody has asked for, and of the carts of all days but the newest two, which a worker writes ahead.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from api.reports import report_request
from bench.postgres_cost import postgres_processes
from db.cart_day_files import KINDS
from db.database import Database
from service.columns.cart_days import read_other_days
from service.columns.store import ColumnStore
from service.reports.reports import REPORTS, run_report

BEGIN, DAYS = datetime(2024, 5, 6, tzinfo=UTC), 30  # of the log
QUARTER = timedelta(minutes=15)
ZONES = ("Asia/Tokyo", "Asia/Kolkata", "America/New_York", "Asia/Kathmandu", "Europe/Dublin")
ROUNDS = 15
TARGET = 20  # milliseconds of CPU at most
COLUMNS = ("report", "period", "first of all (ms)", "then: median", "longest", f"at most {TARGET} ms")
ALL_VISITORS = {"metric": "visitors"}
OF_PARTS = (1, 2)  # the reports that read visits themselves
Query = dict[str, str]


def quarters(rng: Random) -> Query:
    begin, end = (BEGIN + QUARTER * each for each in sorted(rng.sample(range(DAYS * 96), 2)))
    return {"from": f"{begin:%FT%TZ}", "to": f"{end:%FT%TZ}"}


def days(rng: Random) -> Query:
    begin, end = (BEGIN + timedelta(each) for each in sorted(rng.sample(range(DAYS), 2)))
    return {"from": f"{begin:%F}", "to": f"{end:%F}"}


def zone_days(rng: Random) -> Query:
    return days(rng) | {"tz": rng.choice(ZONES)}


PERIODS: dict[str, Callable[[Random], Query]] = {
    "quarter hours": quarters,
    "days of UTC": days,
    "days of zones": zone_days,
}


def questions() -> Iterator[tuple[str, int, Query]]:
    for number in REPORTS:
        yield str(number), number, {}
        if number == 1:
            yield "1, visitors", 1, ALL_VISITORS


async def time_periods(url: str, data: Path) -> list[tuple[str, ...]]:
    """Return the rows of the table.

    :param data: above the folder of PostgreSQL
    """
    db, rows = Database.connect(url, pool_size=2), []
    for name, number, own in questions():
        for period, draw in PERIODS.items():
            rng, costs = Random(5), []
            with tempfile.TemporaryDirectory(prefix="trawl-bench-") as folder:
                store = ColumnStore.under(Path(folder), megabytes=2048)
                for _ in range(ROUNDS):
                    parameters = report_request(number).load(draw(rng) | own)
                    start, before = time.process_time(), precise_cpu(data)
                    await run_report(db, store, REPORTS[number], parameters)
                    spent = sum(cpu - before.get(pid, cpu) for pid, cpu in precise_cpu(data).items())
                    costs.append(1000 * (time.process_time() - start + spent))
                    if len(costs) == 1:
                        await read_other_days(db, store.cart_days, KINDS)
                        if number in OF_PARTS:
                            await run_report(db, store, REPORTS[1], report_request(1).load(ALL_VISITORS))
            median, longest = statistics.median(costs[1:]), max(costs[1:])
            figures = [f"{each:.1f}" for each in (costs[0], median, longest)]
            rows.append((name, period, *figures, "yes" if longest <= TARGET else "no"))
            print(rows[-1], flush=True)
    await db.close()
    return rows


def precise_cpu(data: Path) -> dict[int, float]:
    """Return the CPU seconds of each process of PostgreSQL, to the microsecond."""
    seconds = {}
    for pid in postgres_processes(data):
        with suppress(OSError):  # it has ended just now
            seconds[pid] = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return seconds
