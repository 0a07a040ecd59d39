"""Makes PostgreSQL read-only while its disk is nearly full, so that its write-ahead log always has room.

PostgreSQL refuses a row that does not fit on the disk; but it stops when its write-ahead log does not. The
read-only setting has a configuration file of its own, of constant size, written while there is still room.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path

logger = getLogger("trawl.embedded")

MIB = 2**20
FILE = "low_disk.conf"
INCLUDE = f"include_if_exists = '{FILE}'"
# Autovacuum writes to the write-ahead log too, and gives no room back to the disk.
READ_ONLY = "default_transaction_read_only = on\nautovacuum = off\n"
SIZE = 512  # bytes: a change needs no room


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """Bytes of free space. Only tests give other ones.

    :param low: PostgreSQL is read-only below it: four segments of the log, of which a busy second fills two
    :param enough: PostgreSQL takes writes again from it on
    """

    low: int = 64 * MIB
    enough: int = 96 * MIB


LIMITS = DiskLimits()


class DiskGuard:
    """Checks the disk of a data directory, and writes the configuration that makes PostgreSQL read-only."""

    def __init__(self, data: Path, limits: DiskLimits = LIMITS) -> None:
        self._data = data
        self._limits = limits
        self._is_low = False

    def prepare(self) -> None:
        """Write the configuration file, and include it in postgresql.conf, before PostgreSQL starts."""
        with suppress(OSError):  # on a disk without a few free bytes it starts unguarded
            configuration = self._data / "postgresql.conf"
            if INCLUDE not in configuration.read_text(encoding="utf-8"):
                with configuration.open("a", encoding="utf-8") as file:
                    file.write(f"\n{INCLUDE}\n")
            self._is_low = self._has_low_space()
            self._write(is_low=self._is_low)

    def update(self) -> bool:
        """Rewrite the configuration if the disk became full or free; return whether that is so."""
        try:
            is_low = self._has_low_space()
            if is_low == self._is_low:
                return False
            self._write(is_low=is_low)
        except OSError:  # such as a deleted folder, which PostgreSQL reports better
            return False
        self._is_low = is_low
        if is_low:
            logger.error("the disk of %s is full: PostgreSQL takes no writes until there is room", self._data)
        else:
            logger.warning("the disk of %s has room again: PostgreSQL takes writes", self._data)
        return True

    def _has_low_space(self) -> bool:
        space = os.statvfs(self._data)
        limit = self._limits.enough if self._is_low else self._limits.low
        return space.f_bavail * space.f_frsize < limit

    def _write(self, *, is_low: bool) -> None:
        text = READ_ONLY if is_low else ""
        path = self._data / FILE
        with path.open("r+b" if path.exists() else "wb") as file:
            file.write(text.ljust(SIZE - 1).encode() + b"\n")
        path.chmod(0o644)  # PostgreSQL may run as another user; nobody else enters its directory
