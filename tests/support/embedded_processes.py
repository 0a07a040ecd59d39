"""The embedded servers seen from outside: their processes, their rows, other processes that run them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from embedded import EmbeddedServers
from embedded.account import effective, service_account
from embedded.child import processes_in
from tests.support.processes import comes_true

PROJECT = Path(__file__).parents[2]


class Owner:
    """`owner.py` in a process of its own."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("embedded_owner.py")), str(data_dir), *options],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "owned\n"

    def finish(self) -> None:
        """Let it leave by itself; it may still have to wait for others."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


async def query(servers: EmbeddedServers, statement: str) -> list[Any]:
    """Run one statement in the embedded database; returns its rows."""
    connection = await asyncpg.connect(servers.postgres_url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def postgres_pids(data_dir: Path) -> list[int]:
    """The postmaster and all its children; the postmaster's is the lowest of those started with it."""
    return processes_in(data_dir / "postgres" / "data", "postgres", service_account(data_dir / "postgres"))


def valkey_pids(data_dir: Path) -> list[int]:
    return processes_in(data_dir / "valkey", "valkey-server", service_account(data_dir / "valkey"))


def program_of(pid: int, data_dir: Path) -> Path:
    with effective(service_account(data_dir / "postgres")):
        return Path(f"/proc/{pid}/exe").readlink()


def user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def watched(servers: EmbeddedServers, condition: Callable[[], object], seconds: float) -> bool:
    """The same, while the servers are looked after."""

    def look() -> object:
        servers.watch()
        return condition()

    return comes_true(look, seconds)
