"""Processes as the kernel knows them, and waiting for what they do."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

PATIENCE = 100.0  # seconds that a test waits for what must come; a busy machine is ten times as slow
OWN_LOAD = 4  # processes that want each core while the tests run alone


def patience() -> float:
    """Return how many seconds a test waits for what must come: more beside the work of others.

    A start of 1.8 s of CPU waited 67 s for a core beside a load of 35 on two cores.
    """
    return PATIENCE * max(1.0, os.getloadavg()[0] / OWN_LOAD / (os.cpu_count() or 1))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid: int) -> str:
    """Return the command line of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def has_ended(pid: int) -> bool:
    """Return whether the process has ended, also while nobody has asked for its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def send_signal(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to those processes that have not ended since."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def processes_below(directory: Path) -> list[int]:
    """Return the processes whose working directory is there, or was when it still existed."""
    pids = []
    for process in (path for path in Path("/proc").iterdir() if path.name.isdigit()):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(directory):
                pids.append(int(process.name))
    return pids


def eventually(
    condition: Callable[[], object],
    *,
    watch: Callable[[], object] = lambda: None,
    within: float | None = None,
) -> bool:
    """Wait until a condition holds; returns whether it does within so many seconds, or a test's patience.

    Calls `watch` before each look.
    """
    end = time.monotonic() + (patience() if within is None else within)
    while True:
        watch()
        if condition():
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
