"""Kills a server that imports a log, again and again, then lets it finish and checks the result.

python -m bench.crash_test --kills 20 --what all        # the server, its workers, PostgreSQL and Valkey
python -m bench.crash_test --kills 20 --what postgres   # PostgreSQL alone, below a living server
python -m bench.crash_test --kills 20 --what workers    # the workers alone
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from bench.shop_log import ExpectedAnswers, generate
from bootstrap import backing_services
from clients.geo import Geo
from config import read_settings
from db.database import Database
from service.reports.reports import REPORTS
from tests.service.reports.test_reports import ask
from tests.support.log_imports import Importer

ROOT = Path(__file__).parents[1]
PASSWORD = "a long password of a test"
PATIENCE = 300.0


class Victim:
    """A server with its own data, which can be killed."""

    def __init__(self, folder: Path, log: Path) -> None:
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
            "LOG_LEVEL": "ERROR",
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

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request until it is answered; returns the body."""
        until = time.monotonic() + PATIENCE
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.crash_test", description=__doc__)
    parser.add_argument("--lines", type=int, default=1_500_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--what", choices=("all", "postgres", "workers"), default="all")
    parser.add_argument("--longest", type=float, default=3.2, help="seconds between two kills at most")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng, expected = Random(arguments.seed), ExpectedAnswers()
    folder = Path(tempfile.mkdtemp(prefix="trawl-crash-", dir="/tmp"))
    folder.chmod(0o755)
    log = folder / "logs.txt"
    with log.open("w") as file:
        for line in generate(arguments.lines, arguments.seed, expected=expected):
            file.write(line)
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
    shutil.rmtree(folder)
    return bool(differences)


if __name__ == "__main__":
    sys.exit(main())
