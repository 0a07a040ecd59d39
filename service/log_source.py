"""Where a log comes from: a file that may have been read before, a .gz file, or standard input."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import IO, BinaryIO, Self, cast

from service.errors import NotFound


@dataclass(frozen=True, slots=True)
class LogFolder:
    """What may be imported by name: the log itself and the files of one folder; and their times' zone."""

    file: Path
    folder: Path
    zone: tzinfo

    def find(self, name: str | None) -> "LogSource":
        """The log, or the file of that name in the folder. Links that lead out of the folder lead nowhere."""
        if name is None:
            if not self.file.is_file():
                raise NotFound(f"there is no log at LOGS_FILE yet ({self.file.name})", code="no_such_log")
            return LogSource.of_file(self.file)
        try:
            path = (self.folder / name).resolve()
            inside = path.is_relative_to(self.folder.resolve()) and path.is_file()
        except (OSError, ValueError, RuntimeError):  # too long a name, a NUL in it, or a loop of links
            inside = False
        if not inside:
            raise NotFound(f"no log {name!r} in the log folder", code="no_such_log")
        return LogSource.of_file(path)


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log to import; `path` is None for standard input."""

    name: str
    path: Path | None
    stream: BinaryIO | None = None

    @classmethod
    def of_file(cls, path: Path) -> Self:
        return cls(path.name, path.resolve())

    @property
    def key(self) -> str | None:
        return None if self.path is None else os.fsencode(self.path).decode(errors="backslashreplace")

    @property
    def compressed(self) -> bool:
        return self.path is not None and self.path.suffix == ".gz"

    @property
    def resumable(self) -> bool:
        """Whether a position means anything the next time: not in a stream, nor in what gzip unpacks."""
        return self.path is not None and not self.compressed

    @contextmanager
    def open(self) -> Iterator["OpenLog"]:
        """Open it for reading from its start. Raises OSError where it can't be."""
        if self.path is None:
            assert self.stream is not None
            yield OpenLog(self.stream, self.stream, None)
            return
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if self.compressed:
                with gzip.open(file) as unpacked:
                    yield OpenLog(cast(BinaryIO, unpacked), file, size)
            else:
                yield OpenLog(file, file, size)


@dataclass(frozen=True, slots=True)
class OpenLog:
    """`lines` is what is read; `raw` is the file as stored, whose position tells how far that has come."""

    lines: BinaryIO
    raw: IO[bytes]
    size: int | None
