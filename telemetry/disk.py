"""How full the disk of DATA_DIR is, and a line in the log once a minute while it is nearly full."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger("trawl.disk")

LOW_SHARE = 0.05  # of free space
WRITABLE_BYTES = 96 * 2**20  # of free space; with less the embedded PostgreSQL may take no writes
PERIOD = 60.0  # seconds between two looks, and so between two lines


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The bytes of a file system that this user could still write, and all of its bytes."""

    free: int
    total: int

    @property
    def is_low(self) -> bool:
        return self.free < self.total * LOW_SHARE

    @property
    def is_full(self) -> bool:
        return self.free < WRITABLE_BYTES


def read_space(folder: Path) -> DiskSpace | None:
    """Return the space of the file system of a folder; None if it can't be read."""
    try:
        stat = os.statvfs(folder)
    except OSError:
        return None
    return DiskSpace(stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize)


@dataclass(slots=True)
class DiskWatch:
    """Says in the log that the disk of a folder is nearly full."""

    folder: Path
    clock: Callable[[], float] = time.monotonic
    _next: float = field(default=float("-inf"))

    def watch(self) -> None:
        """Look, if a minute is over since the last look. Never waits; call it as often as you like."""
        if self.clock() < self._next:
            return
        self._next = self.clock() + PERIOD
        space = read_space(self.folder)
        if space is not None and space.is_low:
            log.error("disk_nearly_full", folder=str(self.folder), free=space.free, total=space.total)
