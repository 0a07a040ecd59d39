"""Decoded columns of parts, in files that all workers map. They are safe to lose at any moment.

A worker maps a file once and keeps it as long as it is used. When the files take more than they may, those
that nobody has used for longest are deleted; a worker that has mapped one goes on with it.
"""

import os
import time
import uuid
from collections import OrderedDict
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

import structlog

from telemetry.columns import count_column_read, set_column_cache_bytes
from telemetry.logs import PeriodicWarning

log = structlog.get_logger("trawl.columns")
full_warning = PeriodicWarning("column_cache_full")

MIB = 2**20


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """Bounds of the files.

    :param spare: the share that is freed at once when they take too much, so that it is not done at each file
    :param touch_seconds: after which another use of a file is noted in it
    :param temporary_seconds: after which a file that was not finished counts as left by a dead process
    :param used_seconds: since its last use, within which a file is missed that goes
    """

    spare: float = 0.1
    touch_seconds: float = 60.0
    temporary_seconds: float = 600.0
    used_seconds: float = 3600.0


LIMITS = CacheLimits()


class Columns(Protocol):
    """What is in a file."""

    @property
    def size(self) -> int:
        """Its bytes."""
        ...


C = TypeVar("C", bound=Columns)


class ColumnFiles(Generic[C]):
    """The decoded columns that this process has mapped, and the files that it shares with others."""

    def __init__(self, folder: Path | None, *, bound: int, form: str = "db.part_files") -> None:
        """Make the cache of a process.

        :param folder: of the files, made when it is needed; None for none
        :param bound: bytes of all files, and of those that this process maps; 0 for no files
        :param form: the module that writes and maps files. It is imported with the first one, as it
            takes a while
        """
        self._form = form
        self._folder = folder if bound else None
        self._bound = bound
        self._parts: OrderedDict[uuid.UUID, tuple[C, float]] = OrderedDict()
        self._bytes = 0
        self._unchecked = (
            bound  # bytes written since the files were last counted; at first count them at once
        )
        self._lock = Lock()

    def peek(self, tokens: Iterable[uuid.UUID]) -> dict[uuid.UUID, C]:
        """Return those parts' columns that this process has mapped and need no look at their files."""
        since = time.monotonic() - LIMITS.touch_seconds
        columns = {}
        with self._lock:
            for token in tokens:
                entry = self._parts.get(token)
                if entry is not None and entry[1] > since:
                    self._parts.move_to_end(token)
                    columns[token] = entry[0]
        return columns

    def get_all(self, tokens: Iterable[uuid.UUID]) -> dict[uuid.UUID, C]:
        """Return those parts' columns that this process or a file has. Maps files: call it in a thread."""
        columns = {token: self.get(token) for token in tokens}
        return {token: part for token, part in columns.items() if part is not None}

    def get(self, token: uuid.UUID) -> C | None:
        """Return a part's columns if this process or a file has them."""
        now = time.monotonic()
        with self._lock:
            entry = self._parts.get(token)
        columns = self._map(token) if entry is None else entry[0]
        if columns is not None:
            self._touch(token)
            self._keep(token, columns, now)
        return columns

    def put(self, token: uuid.UUID, columns: C) -> C:
        """Write a part's file and map it. Where that fails, return the columns as they are."""
        count_column_read("decoded")
        if self._folder is None:
            self._keep(token, columns, time.monotonic())
            return columns
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._files_module().write_file(self._folder, token, columns)
        except OSError as error:
            log.warning("columns_not_cached", error=str(error))
            return columns
        self._unchecked += columns.size
        if self._unchecked > self._bound * LIMITS.spare:
            self._unchecked = 0
            self.shrink()
        mapped = self._map(token)
        if mapped is None:
            return columns
        self._keep(token, mapped, time.monotonic())
        return mapped

    def missing(self, tokens: Iterable[uuid.UUID]) -> list[uuid.UUID]:
        """Return those parts whose files are worth making ahead: none where little space is left."""
        files = self._files()
        if self._folder is None or sum(size for _, size, _ in files) > self._bound * (1 - 2 * LIMITS.spare):
            return []
        names = {path.stem for path, _, _ in files}
        return [token for token in tokens if token.hex not in names]

    def drop_all_but(self, tokens: Collection[uuid.UUID]) -> None:
        """Drop the parts that are not among these, and delete their files."""
        with self._lock:
            for token in self._parts.keys() - set(tokens):
                self._evict(token)
        names = {token.hex for token in tokens}
        for path, _, _ in self._files():
            if path.stem not in names:
                path.unlink(missing_ok=True)
        self.shrink()

    def shrink(self) -> None:
        """Delete the files that were not used for longest, if all take more than they may."""
        files = sorted(self._files(), key=lambda file: file[2])
        total = sum(size for _, size, _ in files)
        if total > self._bound:
            self._warn_if_missed(used=files[0][2])
            for path, size, _ in files:
                path.unlink(missing_ok=True)
                total -= size
                if total <= self._bound * (1 - LIMITS.spare):
                    break
        set_column_cache_bytes(self._form, total)

    def _warn_if_missed(self, used: float) -> None:
        """Log that whoever reads all visits again decodes all of them again, which may take too long."""
        if time.time() - used < LIMITS.used_seconds:
            full_warning.log(bound_mb=self._bound // MIB, advice="set a larger COLUMN_CACHE_MB")

    def _map(self, token: uuid.UUID) -> C | None:
        columns: C | None = None
        if self._folder is not None:
            columns = self._files_module().map_file(self._folder, token)
        if columns is not None:
            count_column_read("mapped")
        return columns

    def _touch(self, token: uuid.UUID) -> None:
        """Note that a file is used, for whoever looks for the one to delete."""
        if self._folder is not None:
            with suppress(OSError):
                os.utime(self._files_module().path_of(self._folder, token))

    def _keep(self, token: uuid.UUID, columns: C, now: float) -> None:
        with self._lock:
            self._evict(token)
            self._parts[token] = (columns, now)
            self._bytes += columns.size
            while self._bytes > self._bound:
                self._evict(next(iter(self._parts)))

    def _evict(self, token: uuid.UUID) -> None:
        entry = self._parts.pop(token, None)
        if entry is not None:
            self._bytes -= entry[0].size

    def _files_module(self) -> Any:
        return import_module(self._form)

    def _files(self) -> list[tuple[Path, int, float]]:
        """Return the files with their sizes and the times they were last used. Delete what the dead left."""
        if self._folder is None:
            return []
        files = []
        for path in self._folder.glob("*"):
            with suppress(OSError):  # another process deletes it
                status = path.stat()
                if path.suffix == ".columns":
                    files.append((path, status.st_size, status.st_mtime))
                elif time.time() - status.st_mtime > LIMITS.temporary_seconds:
                    path.unlink()
        return files
