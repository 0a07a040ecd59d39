"""Rotates a log again and again under a writer, while `import --follow` reads it, and counts what arrives.

python -m bench.rotations --rotations 100 --rate 2000           # each kind of rotation
python -m bench.rotations --rotations 20 --kills 10 --kind link  # and the follower is killed now and then
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from sqlalchemy import text

from bootstrap import Addresses, backing_services
from config import read_settings
from db.database import Database
from db.migrate import migrate
from tests.support.command_line import PROJECT
from tests.support.log_writer import ROTATIONS, LogWriter, start_writer

LOOKED_AT = 0.7  # seconds within which each log is looked at: what is cut between two looks may be lost
PATIENCE = 60.0  # seconds without a new visit, after which the rest is lost


class Follower:
    """`main.py import --follow` of a log, which can be killed."""

    def __init__(self, log: Path, environ: dict[str, str]) -> None:
        self._log, self._environ = log, environ
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(PROJECT / "main.py"), "import", "--follow", str(self._log)]
        self.process = subprocess.Popen(
            command, cwd=PROJECT, env=self._environ, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()  # it says that it follows the log

    def kill(self) -> None:
        """Kill it, and start another."""
        self.process.kill()
        self.process.communicate()
        self.start()

    def stop(self) -> tuple[int, str]:
        """End it. Return its exit code and the last line that it has printed."""
        self.process.terminate()
        output, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, (output.splitlines() or [""])[-1]


async def count(url: str) -> tuple[int, int, int]:
    """Return how many visits there are, how many distinct ones, and how many failed imports."""
    db = Database.connect(url)
    statement = (
        "SELECT count(*), count(DISTINCT id), "
        "(SELECT count(*) FROM import WHERE status NOT IN ('done', 'running')) FROM visit"
    )
    try:
        async with db.read() as session:
            [(visits, distinct, failed)] = await session.execute(text(statement))
            return visits, distinct, failed
    finally:
        await db.close()


async def wait_for_all(url: str, lines: int) -> tuple[int, int, int]:
    """Count once all lines are there, or no more come."""
    counts, changed = (0, 0, 0), time.monotonic()
    while counts[0] < lines and time.monotonic() < changed + PATIENCE:
        await asyncio.sleep(0.5)
        before, counts = counts, await count(url)
        changed = time.monotonic() if counts != before else changed
    return counts


async def empty(url: str) -> None:
    db = Database.connect(url)
    async with db.transaction() as session:
        await session.execute(text("TRUNCATE visit_part, visit_part_columns, import, file_position CASCADE"))
    await db.close()


def rotate(writer: LogWriter, follower: Follower, kind: str, arguments: argparse.Namespace) -> None:
    """Rotate the log at irregular times, and kill the follower close to some of these."""
    rng, (rotation, _) = Random(arguments.seed), ROTATIONS[kind]
    kills = set(rng.sample(range(1, arguments.rotations + 1), arguments.kills))
    for number in range(1, arguments.rotations + 1):
        shortest = min(LOOKED_AT, arguments.every)
        time.sleep(rng.uniform(shortest, 2 * arguments.every - shortest))
        if number in kills and number % 2:
            follower.kill()
        rotation(writer, number)
        if number in kills and not number % 2:
            time.sleep(rng.uniform(0, 0.6))
            follower.kill()


def run(kind: str, addresses: Addresses, environ: dict[str, str], arguments: argparse.Namespace) -> bool:
    """Rotate a log in one way. Return whether each line that was written is there once."""
    asyncio.run(empty(addresses.database))
    with tempfile.TemporaryDirectory(prefix="trawl-rotations-") as folder:
        writer = start_writer(Path(folder), kind, rate=arguments.rate)
        follower = Follower(writer.log, environ)
        rotate(writer, follower, kind, arguments)
        writer.stop()
        visits, distinct, failed = asyncio.run(wait_for_all(addresses.database, writer.written))
        code, summary = follower.stop()
    lost, double = writer.written - distinct, visits - distinct
    print(
        f"{kind}: {arguments.rotations} rotations, {arguments.kills} kills, {writer.written:,} lines: ",
        end="",
    )
    print(f"{lost} lost, {double} double, {failed} imports failed, exit code {code}; {summary}", flush=True)
    return not lost and not double and (not failed or bool(arguments.kills)) and code == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.rotations", description=__doc__)
    parser.add_argument("--rotations", type=int, default=100)
    parser.add_argument("--rate", type=int, default=2000, help="lines a second")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two rotations, on average")
    parser.add_argument("--kills", type=int, default=0, help="kills of the follower around rotations")
    parser.add_argument("--kind", choices=sorted(ROTATIONS), help="of rotation; each one if left out")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trawl-rotations-data-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs as another user
        environ = os.environ | {"DATA_DIR": str(Path(folder) / "var"), "LOG_LEVEL": "ERROR"}
        with backing_services(read_settings(environ)) as (addresses, _):
            asyncio.run(migrate(addresses.database))
            kinds = [arguments.kind] if arguments.kind else list(ROTATIONS)
            is_whole = [run(kind, addresses, environ, arguments) for kind in kinds]
            return int(not all(is_whole))


if __name__ == "__main__":
    sys.exit(main())
