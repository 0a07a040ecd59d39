"""Kills a server that imports a log, again and again, then lets it finish and checks the result.

python -m bench.crash_test --kills 20 --what all        # the server, its workers, PostgreSQL and Valkey
python -m bench.crash_test --kills 20 --what postgres   # PostgreSQL alone, below a living server
python -m bench.crash_test --kills 20 --what workers    # the workers alone
python -m bench.crash_test --kills 20 --mixed           # beside live visits, merges, undo, retention
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bench.crash_traffic import LiveTraffic, differences, drop_old
from bench.shop_log import START, ExpectedAnswers, generate
from bootstrap import backing_services
from clients.geo import Geo
from config import read_settings
from db.database import Database
from service.reports.reports import REPORTS
from service.visits.retention import start_of_retention
from tests.service.reports.test_reports import ask
from tests.support.log_imports import Importer

ROOT = Path(__file__).parents[1]
PASSWORD = "a long password of a test"
PATIENCE = 300.0
OLD_DAYS = timedelta(days=3)  # of a log, that retention deletes
FIRST_VISITS = 40_000  # that are stored before the first kill, and then merged
UNDONE = 0.4  # of the kills, before which an import is cancelled or undone
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Victim:
    """A server with its own data, which can be killed."""

    def __init__(self, folder: Path, log: Path, **settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.environ = os.environ | {
            "DATA_DIR": str(folder / "var"),
            "PORT": str(port),
            "WORKERS": "2",
            "LOGS_FILE": str(log),
            "ADMIN_LOGIN": "root",
            "ADMIN_PASSWORD": PASSWORD,
            "RATE_LIMIT_PER_MINUTE": "0",
            "INGEST_RATE_LIMIT_PER_MINUTE": "0",
            "LOG_LEVEL": "ERROR",
            **settings,
        }
        self._token = ""
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py")], cwd=ROOT, env=self.environ, stdout=subprocess.DEVNULL
        )

    def family(self) -> dict[int, str]:
        """Return the processes of the server with the names of their programs, the server's own first."""
        parents: dict[int, tuple[int, str]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                head, _, tail = stat.read_text().rpartition(") ")
                pid, _, name = head.partition(" (")
                parents[int(pid)] = int(tail.split()[1]), name
        family = {self.process.pid: "server"}
        while children := {
            pid: name for pid, (parent, name) in parents.items() if parent in family and pid not in family
        }:
            family |= children
        return family

    def kill(self, what: str) -> None:
        family = self.family()
        victims = {
            "all": list(family),
            "postgres": [pid for pid, name in family.items() if name.startswith("postgres")],
            "workers": [pid for pid, name in family.items() if name.startswith("python")],
        }[what]
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if what == "all":
            self.process.wait()
            self.start()

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, patience: float = PATIENCE
    ) -> dict[str, Any]:
        """Send a request until it is answered; returns the body."""
        until = time.monotonic() + patience
        while True:
            try:
                if not self._token and path != "/login":
                    login = {"login": "root", "password": PASSWORD}
                    self._token = self.call("POST", "/login", login)["access_token"]
                request = urllib.request.Request(
                    self.url + path,
                    method=method,
                    data=json.dumps(body).encode() if body else None,
                    headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
                )
                with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                    answer: dict[str, Any] = json.load(response)
                    return answer
            except OSError:  # HTTPError is one
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


async def compare(environ: dict[str, str], expected: ExpectedAnswers) -> list[str]:
    """Compare the database with what is expected; returns the differences."""
    differences: list[str] = []
    with backing_services(read_settings(environ)) as (addresses, _):
        db = Database.connect(addresses.database)
        shop = Importer(db, Geo.open())
        [(visits,)] = await shop.rows("SELECT count(*) FROM visit")
        if visits != expected.lines:
            differences.append(f"{visits} visits of {expected.lines} lines")
        [(imported, positioned)] = await shop.rows(
            "SELECT (SELECT sum(imported) FROM import), (SELECT sum(line) FROM file_position)"
        )
        if (imported, positioned) != (expected.lines, expected.lines):
            differences.append(f"imports say {imported}, the position {positioned}")
        try:
            await shop.check_rollups()
        except AssertionError as error:
            differences.append(f"roll-up {error}")
        for number in REPORTS:
            answer = (await ask(shop, number)).answer
            if answer != expected.answers[number]:
                differences.append(f"report {number}: {answer}, not {expected.answers[number]}")
        await db.close()
    return differences


def write_log(path: Path, expected: ExpectedAnswers, arguments: argparse.Namespace, start: datetime) -> int:
    """Write a log; return how many of its lines are not before the border of a retention that begins then."""
    young, border = 0, (start + OLD_DAYS).strftime("%Y-%m-%d")
    with path.open("w") as file:
        for line in generate(arguments.lines, arguments.seed, start=start, expected=expected):
            file.write(line)
            young += TIME.findall(line)[0] >= border
    return young


def undo_some(victim: Victim, rng: Random) -> None:
    """Cancel or undo one of the imports, sometimes."""
    rows = victim.call("GET", "/imports?limit=1000")["items"]
    rows = [row for row in rows if row["status"] in ("running", "done", "failed", "cancelled")]
    if rows and rng.random() < UNDONE:
        with suppress(urllib.error.HTTPError):
            victim.call("DELETE", f"/imports/{rng.choice(rows)['id']}", patience=1)


async def compare_mixed(
    environ: dict[str, str], traffic: LiveTraffic, border: datetime, lines: int
) -> tuple[list[str], str]:
    """Compare the database with what must be left; return the differences, and how visits stand there."""
    with backing_services(read_settings(environ)) as (addresses, _):
        db = Database.connect(addresses.database)
        shop = Importer(db, Geo.open())
        await drop_old(db, border)
        faults = await differences(shop, traffic, lines)
        [row] = await shop.rows(
            "SELECT count(*), sum(visits), (SELECT count(*) FROM live_visit) "
            "FROM visit_part WHERE source <> 'log'"
        )
        await db.close()
    return faults, f"{row[1]} live visits in {row[0]} parts, {row[2]} in rows"


def run_mixed(arguments: argparse.Namespace, folder: Path) -> int:
    """Kill everything beside live visits, merges, undo and retention."""
    border, rng = start_of_retention(datetime.now(UTC), days=1), Random(arguments.seed)
    lines = write_log(folder / "logs.txt", ExpectedAnswers(), arguments, border - OLD_DAYS)
    victim = Victim(folder, folder / "logs.txt", RETENTION_DAYS="1")
    begin = time.monotonic()
    victim.call("GET", "/ready")
    traffic = LiveTraffic(victim.call, border, arguments.seed)
    traffic.start()
    while traffic.sent < FIRST_VISITS:
        time.sleep(0.1)
    for _ in range(arguments.kills):
        victim.call("POST", "/parse?wait=0")
        undo_some(victim, rng)
        time.sleep(rng.uniform(0, arguments.longest))
        victim.kill(arguments.what)
    traffic.stop()
    while [row for row in victim.call("GET", "/imports?limit=1000")["items"] if row["status"] == "running"]:
        time.sleep(1)
    victim.call("POST", "/parse?wait=300")
    rows = victim.call("GET", "/imports?limit=1000")["items"]
    victim.stop()
    faults, how = asyncio.run(compare_mixed(victim.environ, traffic, border, lines))
    statuses = Counter(row["status"] for row in rows)
    print(
        f"{arguments.kills} kills of {arguments.what} in {time.monotonic() - begin:.0f} s; {dict(statuses)}"
    )
    print(f"{traffic.sent} live visits sent, {how}, {lines} lines; {faults or 'all as expected'}")
    return bool(faults)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.crash_test", description=__doc__)
    parser.add_argument("--lines", type=int, default=1_500_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--what", choices=("all", "postgres", "workers"), default="all")
    parser.add_argument("--longest", type=float, default=3.2, help="seconds between two kills at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mixed", action="store_true", help="beside live visits, merges, undo and retention")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="trawl-crash-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        return run_mixed(arguments, folder) if arguments.mixed else run_import(arguments, folder)
    finally:
        shutil.rmtree(folder)


def run_import(arguments: argparse.Namespace, folder: Path) -> int:
    """Kill what imports a log."""
    rng, expected, log = Random(arguments.seed), ExpectedAnswers(), folder / "logs.txt"
    write_log(log, expected, arguments, START)
    victim = Victim(folder, log)
    begin = time.monotonic()
    victim.call("GET", "/ready")
    stages: list[int] = []
    for _ in range(arguments.kills):
        victim.call("POST", "/parse?wait=0")
        time.sleep(rng.uniform(0, arguments.longest))
        victim.kill(arguments.what)
        stages.append(sum(row["imported"] for row in victim.call("GET", "/imports?limit=1000")["items"]))
    victim.call("POST", "/parse?wait=300")
    rows = victim.call("GET", "/imports?limit=1000")["items"]
    victim.stop()
    differences = asyncio.run(compare(victim.environ, expected))
    seconds, result = time.monotonic() - begin, differences or "all as expected"
    print(f"{arguments.kills} kills of {arguments.what} in {seconds:.0f} s; imported after each: {stages}")
    print(f"{len(rows)} imports: {sorted({row['status'] for row in rows})}; {result}")
    return bool(differences)


if __name__ == "__main__":
    sys.exit(main())
