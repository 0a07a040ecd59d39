"""Starts a Trawl of its own for attacks: its folder, its port, its embedded servers, its log in a file."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.command_line import PROJECT, free_port, wait_until_ready
from tests.support.processes import children, command_of, processes_below

HOST = "127.0.0.1"
ADMIN = {"login": "root admin", "password": "correct horse battery"}
RESIDENT = re.compile(r"^RssAnon:\s+(\d+) kB", re.MULTILINE)  # what a worker has for itself alone
FAULT_EVENTS = frozenset({"request_failed", "background_failed", "export_broken_off"})


@dataclass(slots=True)
class OwnTrawl:
    """A server. `start` starts it, and again after `kill`."""

    folder: Path
    port: int
    settings: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(PROJECT / "main.py")],
                cwd=self.folder,
                env=environment(self.folder, self.port) | self.settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """Kill all of its processes at once: supervisor, workers, embedded servers."""
        for pid in processes_below(self.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def workers(self) -> list[int]:
        return [pid for pid in children(self.process.pid) if "main.py" in command_of(pid)]

    def memory(self) -> dict[int, int]:
        """Return the bytes that each worker holds for itself, by its process."""
        return {pid: resident_bytes(pid) for pid in self.workers()}

    def memory_by_kind(self) -> dict[str, int]:
        """Return the bytes that each worker holds for itself, and all other processes by their kind.

        Shared buffers of PostgreSQL are not in it.
        """
        memory = {f"worker {number}": size for number, size in enumerate(self.memory().values(), start=1)}
        workers = set(self.workers())
        for pid in set(processes_below(self.folder)) - workers:
            kind = kind_of(pid, self.process.pid)
            memory[kind] = memory.get(kind, 0) + resident_bytes(pid)
        return memory

    def faults(self) -> list[str]:
        """Return the log's lines of unexpected errors and of processes that died."""
        return [line for line in self.log.read_text(errors="replace").splitlines() if is_fault(line)]


@contextmanager
def own_trawl(**settings: str) -> Iterator[OwnTrawl]:
    """Serve with two workers and an admin until the block ends; its folder goes with it."""
    with tempfile.TemporaryDirectory(prefix="trawl-attack-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root, PostgreSQL runs as another user
        trawl = OwnTrawl(folder, free_port(), settings)
        trawl.start()
        try:
            wait_until_ready(trawl.url)
            yield trawl
        finally:
            trawl.process.terminate()
            trawl.process.wait()


def environment(folder: Path, port: int) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "DATA_DIR": str(folder / "var"),
        "HOST": HOST,
        "PORT": str(port),
        "WORKERS": "2",
        "LOG_LEVEL": "WARNING",
        "LOG_FORMAT": "json",
        "ADMIN_LOGIN": ADMIN["login"],
        "ADMIN_PASSWORD": ADMIN["password"],
        "RATE_LIMIT_PER_MINUTE": "0",
        "INGEST_RATE_LIMIT_PER_MINUTE": "0",
        "LOGS_FILE": str(PROJECT / "logs.txt"),
    }


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds for itself; 0 if it has ended."""
    try:
        match = RESIDENT.search(Path(f"/proc/{pid}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(match[1]) * 1024 if match else 0


def kind_of(pid: int, supervisor: int) -> str:
    command = command_of(pid).lower()
    kinds = (kind for kind in ("postgres", "valkey") if kind in command)
    return "supervisor" if pid == supervisor else next(kinds, "other")


def is_fault(line: str) -> bool:
    if "Traceback" in line and not line.startswith("{"):
        return True
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    event = entry.get("event", "") if isinstance(entry, dict) else ""
    return event in FAULT_EVENTS or event.startswith("worker ")
