"""The files of a process's metrics: read by all workers, and allocated before they are used.

The library's own files are sparse: where the disk is full, writing to one ends the process by SIGBUS. Here a
value that finds no room is counted in memory alone.
"""

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import structlog
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.values import MutexValue

log = structlog.get_logger("trawl.metrics")

FIRST_BYTES = 1 << 16  # as the library makes a file
MAX_BYTES = 1 << 23  # of a file: some 30,000 values
KINDS = ("counter", "histogram", "gauge_livesum", "gauge_livemax", "gauge_mostrecent")  # a file each
KEY_BYTES = 32  # that an entry needs besides its key, at most


class ValueFile(MmapedDict):
    """A file of values, whose space on the disk is allocated."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        :raises OSError: there is no room for it
        """
        allocate(path, max(FIRST_BYTES, path.stat().st_size if path.exists() else 0))
        super().__init__(str(path))

    def _init_value(self, key: str) -> None:
        """Add a value. The library doubles the file where it needs more room.

        :raises OSError: there is no more room
        """
        capacity = self._capacity
        while self._used + len(key.encode()) + KEY_BYTES > capacity:
            capacity *= 2
        if capacity > self._capacity:
            allocate(Path(self._fname), capacity)
        super()._init_value(key)


def allocate(path: Path, size: int) -> None:
    """Make a file so large, with all of its blocks.

    :raises OSError: there is no room, or it would be too large; the file is as it was
    """
    if size > MAX_BYTES:
        raise OSError(f"{path.name} would be over {MAX_BYTES} bytes")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            # Some file systems keep what they could allocate.
            with suppress(OSError):
                os.truncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


class StoredValue:
    """A number of a metric, kept in a file too."""

    _multiprocess = True

    def __init__(self, file: ValueFile, lock: Lock, key: str) -> None:
        """Continue the value of an earlier process of this name.

        :raises OSError: the file has no room for it
        """
        self._file, self._lock, self._key = file, lock, key
        with lock:
            self._value, self._timestamp = file.read_value(key)

    def inc(self, amount: float) -> None:
        with self._lock:
            self._value += amount
            self._timestamp = 0.0
            self._file.write_value(self._key, self._value, self._timestamp)

    def set(self, value: float, timestamp: float | None = None) -> None:
        with self._lock:
            self._value, self._timestamp = value, timestamp or 0.0
            self._file.write_value(self._key, self._value, self._timestamp)

    def get(self) -> float:
        value: float = self._value
        return value

    def set_exemplar(self, _: Any) -> None:
        """Exemplars are not stored."""

    def get_exemplar(self) -> None:
        """Exemplars are not stored."""


class ValueFiles:
    """All files of one process. It stands where the library has a class of values."""

    _multiprocess = True

    def __init__(self, folder: Path, process: str) -> None:
        """Open or make the files.

        :raises OSError: there is no room for them
        """
        self._files: dict[str, ValueFile] = {}
        self._lock = Lock()
        self._is_complete = True
        try:
            for kind in KINDS:
                self._files[kind] = ValueFile(folder / f"{kind}_{process}.db")
        except OSError:
            self.close()
            raise

    def __call__(
        self,
        kind: str,
        metric: str,
        *description: Any,
        multiprocess_mode: str = "",
        **_: Any,
    ) -> StoredValue | MutexValue:
        """Make a value. One that finds no room is counted in memory, which is logged once.

        :param description: the value's name, the names and the values of its labels, and its text
        """
        try:
            file = self._files[f"{kind}_{multiprocess_mode}" if kind == "gauge" else kind]
            return StoredValue(file, self._lock, mmap_key(metric, *description))
        except OSError as error:
            if self._is_complete:
                self._is_complete = False
                log.warning("metrics_incomplete", cause=error.strerror or str(error))
            return MutexValue(kind, metric, *description)

    def close(self) -> None:
        for file in self._files.values():
            file.close()
