"""Import of 2,000,000 lines to committed parts, beside COPY of the visits as rows, and indexes; and undo.

    python -m bench.import_speed [--lines N] [--log FILE | --crowd] [--rounds N]

Trawl imports as `python main.py import` does, into the embedded PostgreSQL, with roll-ups, carts and goods.
The reference copies the same visits, from a CSV file made beforehand, into the table of rows in which visits
were stored before (reference_visits.sql), and then builds its indexes. GoAccess, where it is installed, only
counts the log. CPU is that of all processes: importer or copying client, and PostgreSQL. With --crowd the log
is that of bench/crowd_log.py, whose visitors are interleaved and buy a lot.
"""

import argparse
import asyncio
import json
import os
import re
import resource
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

from bench import crowd_log
from bench.postgres_cost import Cost, postgres_cost
from bench.reference_visits import CopyCost, copy, export
from bench.results import write_results
from bench.shop_log import generate
from bench.undo_cost import run_undo
from db.migrate import migrate
from embedded import open_servers

ROOT = Path(__file__).parents[1]
LINES = 2_000_000
IMPORT = """
import asyncio, gc, json, sys, time
from datetime import UTC
from pathlib import Path
from clients.geo import Geo
from db.database import Database
from clock import now
from main import GARBAGE_THRESHOLDS
from server.memory import share_heap
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.logs.source import LogSource

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

async def main(url, log, declared=None):
    share_heap()  # as main.py does
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    db, geo, progress = Database.connect(url), Geo.open(), []
    note = lambda record: progress.append((time.perf_counter(), record.lines))
    idle = peak()
    begin, cpu = time.perf_counter(), time.process_time()
    source = LogSource.of_file(Path(log), accept_partial_line=True)
    await import_log(db, geo, source, ImportOptions(UTC, log_format=declared), clock=now, on_progress=note)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    await db.close()
    megabytes = (peak() - idle) / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "progress": progress, "megabytes": megabytes}))

asyncio.run(main(*sys.argv[1:]))
"""


def tenths(progress: list[tuple[float, int]]) -> tuple[float, float]:
    """Return lines a second in the first tenth of the lines and in the last, rounded to whole chunks."""
    times, lines = zip(*progress, strict=True)
    first = next(index for index, count in enumerate(lines) if count >= lines[-1] / 10)
    last = max(index for index, count in enumerate(lines) if count <= lines[-1] * 0.9)
    rates = [
        (lines[end] - lines[start]) / (times[end] - times[start]) for start, end in ((0, first), (last, -1))
    ]
    return rates[0], rates[1]


@dataclass(frozen=True, slots=True)
class ImportCost:
    """Seconds, megabytes above idle, lines a second in the first and last tenth, and what it cost."""

    seconds: float
    megabytes: float
    first: float
    last: float
    cost: Cost


def run_import(url: str, log: Path, data: Path, *, declared: str | None = None) -> ImportCost:
    asyncio.run(migrate(url))
    before = asyncio.run(cost_of(url, data))
    process = subprocess.run(
        [sys.executable, "-c", IMPORT, url, str(log), *([declared] if declared else ())],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    result = json.loads(process.stdout.splitlines()[-1])
    cost = asyncio.run(cost_of(url, data)).minus(before).plus_cpu(result["cpu"])
    first, last = tenths(result["progress"])
    return ImportCost(result["seconds"], result["megabytes"], first, last, cost)


async def cost_of(url: str, data: Path) -> Cost:
    connection = await asyncpg.connect(url)
    cost = await postgres_cost(connection, data)
    await connection.close()
    return cost


def cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_goaccess(log: Path) -> tuple[float, float] | None:
    """Return its seconds, and those of CPU; None where it is not installed."""
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
    begin, cpu = time.perf_counter(), cpu_of_children()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [goaccess, str(log), *form, "--no-global-config", "-o", f"{folder}/report.json", "--no-progress"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        report = Path(folder, "report.json").read_text()
    seconds, cpu = time.perf_counter() - begin, cpu_of_children() - cpu
    valid = re.search(r'"valid_requests": (\d+)', report)
    assert valid is not None
    print(f"goaccess counted {int(valid[1]):,} lines")
    return seconds, cpu


@dataclass(frozen=True, slots=True)
class Round:
    """What an import cost, its undo, and its references; of GoAccess seconds and CPU, or None."""

    lines: int
    trawl: ImportCost
    undo: Cost
    copy: CopyCost
    goaccess: tuple[float, float] | None


def run_round(log: Path, lines: int, folder: Path) -> Round:
    with open_servers(folder, postgres=True, valkey=False) as servers:
        url = str(servers.postgres_url)
        ours = run_import(url, log, folder)
        rows = asyncio.run(export(url, folder / "visits.csv"))
        theirs = asyncio.run(copy(url, folder / "visits.csv", folder))
        before = asyncio.run(cost_of(url, folder))
        seconds = run_undo(url)
        undo = asyncio.run(cost_of(url, folder)).minus(before).plus_cpu(seconds)
    goaccess = run_goaccess(log)
    assert rows == lines
    return Round(lines, ours, undo, theirs, goaccess)


def median_of(values: Iterable[float], form: str) -> str:
    """Format the median, and all values where there are several."""
    texts = [format(value, form) for value in sorted(values)]
    middle = texts[len(texts) // 2]
    return middle if len(texts) == 1 else f"{middle} ({', '.join(texts)})"


def verdict(values: Iterable[float], *, least: float = 0, most: float = inf) -> str:
    return "yes" if least <= median(values) <= most else "no"


def make_table(rounds: list[Round]) -> list[tuple[str, str, str, str]]:
    """Return what was measured; a million lines is the unit of what an import costs."""
    millions = rounds[0].lines / 1e6

    def row(
        what: str, form: str, values: Iterable[float], *, least: float = 0, most: float = inf
    ) -> tuple[str, str, str, str]:
        numbers = list(values)
        target = f"at least {least:g}" if least else f"at most {most:g}" if most < inf else ""
        met = verdict(numbers, least=least, most=most) if target else ""
        return what, median_of(numbers, form), target, met

    ours, theirs = [one.trawl for one in rounds], [one.copy for one in rounds]
    pairs = list(zip(ours, theirs, strict=True))
    table = [
        row("trawl, lines/s", ",.0f", (millions * 1e6 / one.seconds for one in ours)),
        row("\\copy, then indexes, lines/s", ",.0f", (millions * 1e6 / sum(one.seconds) for one in theirs)),
        row("trawl / \\copy, speed", ".2f", (sum(b.seconds) / a.seconds for a, b in pairs), least=1.2),
        row("trawl, CPU s a million", ".2f", (one.cost.cpu / millions for one in ours)),
        row("\\copy, CPU s a million", ".2f", (one.cost.cpu / millions for one in theirs)),
        row("trawl / \\copy, CPU", ".2f", (a.cost.cpu / b.cost.cpu for a, b in pairs), most=0.65),
        row("disk, MB a million", ".0f", (one.cost.disk / millions for one in ours), most=40),
        row("disk of \\copy, MB a million", ".0f", (one.cost.disk / millions for one in theirs)),
        row("WAL, MB a million", ".0f", (one.cost.wal / millions for one in ours), most=80),
        row("memory above idle, MB", ".0f", (one.megabytes for one in ours), most=400),
        row("last tenth / first tenth", ".2f", (one.last / one.first for one in ours), least=0.8),
        row("undo, CPU s a million", ".2f", (one.undo.cpu / millions for one in rounds)),
        row("undo / import, CPU", ".2f", (one.undo.cpu / one.trawl.cost.cpu for one in rounds), most=0.25),
    ]
    counted = [(one.trawl, one.goaccess) for one in rounds if one.goaccess is not None]
    if counted:
        table += [
            row("GoAccess, lines/s", ",.0f", (millions * 1e6 / seconds for _, (seconds, _) in counted)),
            row("trawl / GoAccess, speed", ".2f", (b[0] / a.seconds for a, b in counted), least=2),
            row("trawl / GoAccess, CPU", ".2f", (a.cost.cpu / b[1] for a, b in counted), most=0.55),
        ]
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.import_speed")
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--log", type=Path, help="an existing log; --lines is its length")
    parser.add_argument("--crowd", action="store_true", help="a log whose visitors are interleaved")
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
                file.writelines((crowd_log.generate if arguments.crowd else generate)(lines, 1))
        log.read_bytes()  # into the page cache
        for number in range(arguments.rounds):
            folder = Path(name, str(number))
            folder.mkdir()
            folder.chmod(0o755)
            rounds.append(run_round(log, lines, folder))
            shutil.rmtree(folder)
            print(rounds[-1])
    title = f"Import of {lines:,} lines" + arguments.crowd * ", visitors interleaved"
    write_results(title, ("what", "measured", "target", "met"), make_table(rounds))


if __name__ == "__main__":
    main()
