"""Import of 2,000,000 lines, file to committed rows, beside COPY of the same rows and their indexes after it.

    python -m bench.import_speed [--lines N] [--log FILE] [--rounds N]

Trawl imports as `python main.py import` does, into the embedded PostgreSQL, with roll-ups, carts and goods.
The reference copies the same visits, from a CSV file made beforehand, into a table of the same columns, and
then builds the same indexes. GoAccess, where it is installed, only counts the log.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median

import asyncpg

from bench.results import write_results
from bench.shop_log import generate
from embedded import open_servers

ROOT = Path(__file__).parents[1]
LINES = 2_000_000
IMPORT = """
import asyncio, json, sys, time
from datetime import UTC
from pathlib import Path
from clients.geo import Geo
from db.database import Database
from db.migrate import migrate
from clock import now
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.logs.source import LogSource

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

async def main(url, log):
    await migrate(url)
    db, geo, progress = Database.connect(url), Geo.open(), []
    note = lambda record: progress.append((time.perf_counter(), record.lines))
    idle = peak()
    begin = time.perf_counter()
    source = LogSource.of_file(Path(log), accept_partial_line=True)
    await import_log(db, geo, source, ImportOptions(UTC), clock=now, on_progress=note)
    seconds = time.perf_counter() - begin
    await db.close()
    print(json.dumps({"seconds": seconds, "progress": progress, "megabytes": (peak() - idle) / 1024}))

asyncio.run(main(*sys.argv[1:]))
"""
INDEXES = """
    SELECT pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = 'visit'::regclass ORDER BY indisprimary DESC"""


def tenths(progress: list[tuple[float, int]]) -> tuple[float, float]:
    """Return lines a second in the first tenth of the lines and in the last, rounded to whole chunks."""
    times, lines = zip(*progress, strict=True)
    first = next(index for index, count in enumerate(lines) if count >= lines[-1] / 10)
    last = max(index for index, count in enumerate(lines) if count <= lines[-1] * 0.9)
    rates = [
        (lines[end] - lines[start]) / (times[end] - times[start]) for start, end in ((0, first), (last, -1))
    ]
    return rates[0], rates[1]


async def export(url: str, csv: Path) -> int:
    connection = await asyncpg.connect(url)
    await connection.copy_from_table("visit", output=csv, format="csv")
    rows: int = await connection.fetchval("SELECT count(*) FROM visit")
    await connection.close()
    return rows


async def copy(url: str, csv: Path) -> tuple[float, float]:
    """Return the seconds of COPY, and of the indexes after it."""
    connection = await asyncpg.connect(url)
    indexes = [row[0] for row in await connection.fetch(INDEXES)]
    await connection.execute("CREATE TABLE bare_visit (LIKE visit INCLUDING DEFAULTS)")
    begin = time.perf_counter()
    await connection.copy_to_table("bare_visit", source=csv, format="csv")
    middle = time.perf_counter()
    for number, index in enumerate(indexes):
        statement = re.sub(r"INDEX \S+ ON public\.visit", f"INDEX bare_{number} ON bare_visit", index)
        await connection.execute(statement)
    end = time.perf_counter()
    await connection.execute("DROP TABLE bare_visit")
    await connection.close()
    return middle - begin, end - middle


def run_import(url: str, log: Path) -> dict[str, float]:
    process = subprocess.run(
        [sys.executable, "-c", IMPORT, url, str(log)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    result = json.loads(process.stdout.splitlines()[-1])
    first, last = tenths(result["progress"])
    return {"seconds": result["seconds"], "megabytes": result["megabytes"], "first": first, "last": last}


def run_goaccess(log: Path) -> float | None:
    """Return its seconds; None where it is not installed."""
    goaccess = shutil.which("goaccess")
    if goaccess is None:
        return None
    form = [
        "--log-format",
        "%^| %d %t %^ INFO: %h %U",
        "--date-format",
        "%Y-%m-%d",
        "--time-format",
        "%H:%M:%S",
    ]
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [goaccess, str(log), *form, "--no-global-config", "-o", f"{folder}/report.json", "--no-progress"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        report = Path(folder, "report.json").read_text()
    seconds = time.perf_counter() - begin
    valid = re.search(r'"valid_requests": (\d+)', report)
    assert valid is not None
    print(f"goaccess counted {int(valid[1]):,} lines")
    return seconds


@dataclass(frozen=True, slots=True)
class Round:
    """Lines a second of each; None for GoAccess where it is not installed."""

    trawl: float
    copy: float
    copy_seconds: tuple[float, float]  # of COPY, and of its indexes
    goaccess: float | None
    megabytes: float
    steady: float


def run_round(log: Path, lines: int, folder: Path) -> Round:
    with open_servers(folder, postgres=True, valkey=False) as servers:
        url = str(servers.postgres_url)
        ours = run_import(url, log)
        rows = asyncio.run(export(url, folder / "visits.csv"))
        copy_seconds = asyncio.run(copy(url, folder / "visits.csv"))
    goaccess = run_goaccess(log)
    assert rows == lines
    return Round(
        lines / ours["seconds"],
        lines / sum(copy_seconds),
        copy_seconds,
        None if goaccess is None else lines / goaccess,
        ours["megabytes"],
        ours["last"] / ours["first"],
    )


def median_of(values: Iterable[float], form: str) -> str:
    """Format the median, and all values where there are several."""
    texts = [format(value, form) for value in sorted(values)]
    middle = texts[len(texts) // 2]
    return middle if len(texts) == 1 else f"{middle} ({', '.join(texts)})"


def verdict(values: Iterable[float], *, least: float = 0, most: float = inf) -> str:
    return "yes" if least <= median(values) <= most else "no"


def make_table(rounds: list[Round]) -> list[tuple[str, str, str, str]]:
    to_copy = [one.trawl / one.copy for one in rounds]
    table = [
        ("trawl, lines/s", median_of((one.trawl for one in rounds), ",.0f"), "", ""),
        ("\\copy, then indexes, lines/s", median_of((one.copy for one in rounds), ",.0f"), "", ""),
        ("trawl / \\copy", median_of(to_copy, ".2f"), "at least 0.7", verdict(to_copy, least=0.7)),
    ]
    pairs = [(one.trawl, one.goaccess) for one in rounds if one.goaccess is not None]
    if pairs:
        ratios = [trawl / goaccess for trawl, goaccess in pairs]
        table.append(("GoAccess, lines/s", median_of((goaccess for _, goaccess in pairs), ",.0f"), "", ""))
        table.append(("trawl / GoAccess", median_of(ratios, ".2f"), "at least 2", verdict(ratios, least=2)))
    memory, steady = [one.megabytes for one in rounds], [one.steady for one in rounds]
    table += [
        ("memory above idle, MB", median_of(memory, ".0f"), "at most 400", verdict(memory, most=400)),
        ("last tenth / first tenth", median_of(steady, ".2f"), "at least 0.8", verdict(steady, least=0.8)),
    ]
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.import_speed")
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--log", type=Path, help="an existing log; --lines is its length")
    parser.add_argument("--rounds", type=int, default=3, help="an odd number, of which medians are printed")
    arguments = parser.parse_args()
    if arguments.rounds % 2 == 0:
        parser.error("--rounds takes an odd number")
    lines = arguments.lines
    rounds = []
    with tempfile.TemporaryDirectory(prefix="trawl-bench-") as name:
        Path(name).chmod(0o755)
        log = arguments.log or Path(name, "logs.txt")
        if arguments.log is None:
            with log.open("w") as file:
                file.writelines(generate(lines, 1))
        log.read_bytes()  # into the page cache
        for number in range(arguments.rounds):
            folder = Path(name, str(number))
            folder.mkdir()
            folder.chmod(0o755)
            rounds.append(run_round(log, lines, folder))
            shutil.rmtree(folder)
            print(rounds[-1])
    write_results(f"Import of {lines:,} lines", ("what", "measured", "target", "met"), make_table(rounds))


if __name__ == "__main__":
    main()
