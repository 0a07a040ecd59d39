"""The embedded servers seen from outside: their processes, their rows, another process that runs them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg

from embedded import EmbeddedServers
from embedded.account import effective_user, service_account
from embedded.child import processes_in

PROJECT = Path(__file__).parents[2]


class Owner:
    """`embedded_owner.py` in a process of its own."""

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
        """Let it end by itself; it may have to wait for sharers."""
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
    """Return the numbers of the postmaster and all its children."""
    return processes_in(data_dir / "postgres" / "data", "postgres", service_account(data_dir / "postgres"))


def valkey_pids(data_dir: Path) -> list[int]:
    return processes_in(data_dir / "valkey", "valkey-server", service_account(data_dir / "valkey"))


def program_of(pid: int, data_dir: Path) -> Path:
    with effective_user(service_account(data_dir / "postgres")):
        return Path(f"/proc/{pid}/exe").readlink()


def user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777
