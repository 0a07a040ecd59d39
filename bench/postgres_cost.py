"""What PostgreSQL has spent: CPU of all its processes, WAL, and the disk of tables and indexes."""

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

TICKS = os.sysconf("SC_CLK_TCK")
DISK = """
    SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
    WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace"""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds, and megabytes of WAL and of disk."""

    cpu: float
    wal: float
    disk: float

    def minus(self, before: "Cost") -> "Cost":
        return Cost(self.cpu - before.cpu, self.wal - before.wal, self.disk - before.disk)

    def plus_cpu(self, seconds: float) -> "Cost":
        return replace(self, cpu=self.cpu + seconds)


async def postgres_cost(connection: asyncpg.Connection, data: Path) -> Cost:
    """Return what the server has spent since it started, and its disk now. `data` is above its folder."""
    wal = await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'")
    disk = await connection.fetchval(DISK)
    return Cost(postgres_cpu(data), float(wal) / 1e6, float(disk) / 1e6)


def postgres_cpu(data: Path) -> float:
    """Return the CPU seconds of the server and of its processes, those that have ended included."""
    seconds = 0.0
    for pid in postgres_processes(data):
        with suppress(OSError):  # it has ended just now
            seconds += cpu_of(pid)
    return seconds


def postgres_processes(data: Path) -> list[int]:
    """Return the server's process, then all of those that it has now."""
    pid_file = next(data.rglob("postmaster.pid"))
    postmaster = int(pid_file.read_text().split("\n", 1)[0])
    tasks = Path(f"/proc/{postmaster}/task").iterdir()
    return [postmaster, *(int(pid) for task in tasks for pid in (task / "children").read_text().split())]


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS
