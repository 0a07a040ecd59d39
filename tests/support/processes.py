"""Processes as the kernel knows them."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid: int) -> str:
    """Empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def gone(pid: int) -> bool:
    """Whether the process has ended, also when nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def working_below(directory: Path) -> list[int]:
    """The processes whose working directory is there, or was when it still existed."""
    found = []
    for process in (path for path in Path("/proc").iterdir() if path.name.isdigit()):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(directory):
                found.append(int(process.name))
    return found


def comes_true(condition: Callable[[], object], seconds: float) -> bool:
    """Whether a condition holds within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
