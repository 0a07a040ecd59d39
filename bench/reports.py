"""The seven reports at 2 and 10 million visits, beside the same questions in DuckDB over the same rows.

    python -m bench.reports [--log FILE]

2,000,000 lines of 30 days are imported. Then the shop is made five times as busy over the same days: every
visit, cart and buyer five times, with the roll-ups, which the answers of DuckDB verify. Trawl's time is that
of `run_report` with each report's defaults and no cache: its transaction, and the time of the newest visit.
DuckDB has the rows in its own columnar tables, in memory. report_periods.py measures periods.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
from ipinfo.data import countries as country_names

from api.reports import REQUESTS
from bench import report_periods
from bench.duckdb_reports import QUERIES, TABLES
from bench.import_speed import run_import
from bench.report_periods import time_periods
from bench.results import write_results
from bench.shop_log import generate
from db.database import Database
from db.narrow_columns import NARROW_TYPES
from embedded import open_servers
from service.columns.store import ColumnStore
from service.reports.reports import REPORTS, run_report

LINES, TIMES = 2_000_000, 5
# Copy number $1 of everything, in which all ids are others.
SHIFT = "$1::int * 10000000000000"
PART = "first_at, last_at, visits, first_position, host, page_ids, cart_ids"
ARRAYS = ", ".join(
    (
        *("occurred", "key", "position", "address_id", "page_id", "kind"),
        *("cart_id", "goods_id", "amount", "user_id"),
        *NARROW_TYPES,
    )
)
GROW = (
    # The copies of parts name the same carts: no report reads these from visits.
    f"""
    WITH part AS (SELECT gen_random_uuid() AS copy, * FROM visit_part WHERE import_id > 0),
    columns AS (
        INSERT INTO visit_part_columns (token, {ARRAYS})
        SELECT part.copy, {ARRAYS}
        FROM part INNER JOIN visit_part_columns ON part.token = visit_part_columns.token
    )
    INSERT INTO visit_part (token, import_id, {PART}) SELECT copy, -$1::int, {PART} FROM part""",
    f"""
    INSERT INTO cart SELECT id + {SHIFT}, address, source, opened_at, opened_position, changed_at,
        user_id + {SHIFT}, user_known_at, user_known_position
    FROM cart WHERE id < 10000000000000""",
    f"""
    INSERT INTO payment SELECT cart_id + {SHIFT}, paid_at, position, source
    FROM payment WHERE cart_id < 10000000000000""",
    f"""
    INSERT INTO cart_item SELECT cart_id + {SHIFT}, goods_id, amount
    FROM cart_item WHERE cart_id < 10000000000000""",
    f"INSERT INTO buyer SELECT user_id + {SHIFT}, log, live FROM buyer WHERE user_id < 10000000000000",
)
MULTIPLIED = {
    "requests": ("request_quarter", "category_quarter", "country_day", "category_country_day"),
    "carts": ("cart_day", "payment_day", "paid_category_day", "paid_pair_day"),
    "users": ("buyer_count",),
}
ROUNDS = 31
DEFAULTS = {number: request().load({}) for number, request in REQUESTS.items()}


async def time_ours(*urls: str) -> tuple[list[dict[int, float]], dict[int, Any]]:
    """Return the median milliseconds of each report in each database, and its answer in the last one.

    The databases take turns, so that they share what else the machine does.
    """
    store = ColumnStore()
    databases = [Database.connect(url, pool_size=2) for url in urls]
    times: list[dict[int, list[float]]] = [{number: [] for number in REPORTS} for _ in urls]
    answers = {}
    for turn in range(ROUNDS + 3):
        for number, report in REPORTS.items():
            for db, milliseconds in zip(databases, times, strict=True):
                begin = time.perf_counter()
                result = await run_report(db, store, report, DEFAULTS[number])
                if turn >= 3:  # the first ones warm up
                    milliseconds[number].append(1000 * (time.perf_counter() - begin))
                answers[number] = result.answer
    for db in databases:
        await db.close()
    return [{number: statistics.median(values) for number, values in each.items()} for each in times], answers


def time_duckdb(folder: Path) -> tuple[dict[int, float], dict[int, Any]]:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for table in TABLES:
        connection.execute(f"CREATE TABLE {table} AS FROM read_parquet('{folder}/{table}.parquet')")
    times: dict[int, float] = {}
    answers = {}
    for number, query in QUERIES.items():
        milliseconds = []
        for _ in range(7):
            begin = time.perf_counter()
            row = connection.execute(query).fetchone()
            milliseconds.append(1000 * (time.perf_counter() - begin))
        times[number] = statistics.median(milliseconds[1:])
        answers[number] = row and row[0]
    connection.close()
    return times, answers


async def export(url: str, folder: Path) -> None:
    """Export the tables as Parquet files for DuckDB."""
    connection = await asyncpg.connect(url)
    for table, (query, columns) in TABLES.items():
        csv = folder / f"{table}.csv"
        await connection.copy_from_query(query, output=csv, format="csv")
        duckdb.sql(
            f"COPY (SELECT * FROM read_csv('{csv}', header = false, columns = {columns})) "
            f"TO '{folder}/{table}.parquet'"
        )
        csv.unlink()
    await connection.close()


async def grow(url: str) -> None:
    """Multiply the shop's rows by `TIMES`."""
    connection = await asyncpg.connect(url)
    for number in range(1, TIMES):
        for statement in GROW:
            await connection.execute(statement, number)
    for count, tables in MULTIPLIED.items():
        for table in tables:
            await connection.execute(f"UPDATE {table} SET {count} = {count} * {TIMES}")
    await connection.close()


async def copy_database(url: str) -> str:
    """Copy the database; returns the URL of the copy."""
    connection = await asyncpg.connect(as_superuser(url).replace("/trawl?", "/postgres?", 1))
    await connection.execute("CREATE DATABASE small TEMPLATE trawl OWNER trawl")
    await connection.close()
    return url.replace("/trawl?", "/small?", 1)


def as_superuser(url: str) -> str:
    return url.replace("//trawl@", "//postgres@", 1)


async def settle(url: str) -> None:
    """Do at once what autovacuum and the checkpointer do sooner or later."""
    connection = await asyncpg.connect(as_superuser(url))
    for table in (*(name for names in MULTIPLIED.values() for name in names), "cart", "payment", "buyer"):
        await connection.execute(f"VACUUM (ANALYZE) {table}")
    await connection.execute("ANALYZE visit_part")
    await connection.execute("CHECKPOINT")
    await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.reports")
    parser.add_argument("--log", type=Path, help=f"a log of {LINES:,} lines that exists")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trawl-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        log = arguments.log or folder / "logs.txt"
        if arguments.log is None:
            with log.open("w") as file:
                file.writelines(generate(LINES, 1, days=30))
        with open_servers(folder, postgres=True, valkey=False) as servers:
            url = str(servers.postgres_url)
            run_import(url, log, folder)
            small_url = asyncio.run(copy_database(url))
            asyncio.run(grow(url))
            asyncio.run(settle(small_url))
            asyncio.run(settle(url))
            (small, large), answers = asyncio.run(time_ours(small_url, url))
            periods = asyncio.run(time_periods(url, folder))
            asyncio.run(export(url, folder))
        theirs, duckdb_answers = time_duckdb(folder)
    duckdb_answers |= {number: country_names[duckdb_answers[number]] for number in (1, 2)}
    write_results("Reports of periods at 10 million visits", report_periods.COLUMNS, periods)
    print(small, large, theirs, answers, duckdb_answers, sep="\n", file=sys.stderr)
    assert answers == duckdb_answers
    write_results("Reports, unbounded, at 2 and 10 million visits", COLUMNS, table(small, large, theirs))


COLUMNS = ("report", "2 M (ms)", "10 M (ms)", "10 M / 2 M", "DuckDB, 10 M (ms)", "DuckDB / Trawl", "met")


def table(
    small: dict[int, float], large: dict[int, float], theirs: dict[int, float]
) -> list[tuple[str, ...]]:
    """Make the table. Goals: each at most 20 ms and 1.2 times its time at 2 M; all 4 times as fast."""
    rows = []
    for number, ours in large.items():
        met = "yes" if ours <= 20 and ours <= 1.2 * small[number] else "no"
        figures = (small[number], ours, ours / small[number], theirs[number], theirs[number] / ours)
        rows.append((str(number), *(f"{figure:.2f}" for figure in figures), met))
    sums = [sum(times.values()) for times in (small, large, theirs)]
    figures = (sums[0], sums[1], sums[1] / sums[0], sums[2], sums[2] / sums[1])
    return [*rows, ("all", *(f"{figure:.2f}" for figure in figures), "yes" if figures[4] >= 4 else "no")]


if __name__ == "__main__":
    main()
