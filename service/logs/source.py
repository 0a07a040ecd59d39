"""Where a log comes from: a file that may have been read before, or a stream that is read once."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Self

from service.errors import NotFound
from service.logs.chunks import LogFile
from service.logs.streams import LogStream, is_packed, unpacked
from service.logs.url_rules import Rules


@dataclass(frozen=True, slots=True)
class LogFolder:
    """What may be imported by name: the log itself and the files of one folder; and how they are read.

    `zone` is that of times which name none, `rules` are for URLs of logs in a standard format.
    """

    file: Path
    folder: Path
    zone: tzinfo
    rules: Rules | None = None
    follow: bool = False

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
class OpenLog:
    """A log that is being read.

    `read` tells how many of its bytes, as stored, have been; None where these are the bytes of its lines.
    """

    file: LogFile
    size: int | None
    read: Callable[[], int] | None = None
    stop: Callable[[], None] = lambda: None  # wakes a reader that waits for more; it fails then


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log to import: a file, or what `opened` gives. `key` is None for a stream, which is read once."""

    name: str
    key: str | None
    opened: Callable[[], AbstractContextManager[OpenLog]]

    @classmethod
    def of_file(cls, path: Path, *, take_last: bool = False) -> Self:
        absolute = path.resolve()
        return cls(path.name, file_key(absolute), lambda: open_file(absolute, take_last=take_last))

    @classmethod
    def of_key(cls, name: str, key: str) -> Self:
        """The file that an import's row names."""
        path = Path(key)  # a path that is no UTF-8 is not found again
        return cls(name, key, lambda: open_file(path, take_last=False))

    @classmethod
    def of_stream(cls, name: str, stream: LogStream, *, size: int | None = None) -> Self:
        return cls(name, None, lambda: open_stream(stream, size))

    def open(self) -> AbstractContextManager[OpenLog]:
        """Open it for reading from its start. Raises OSError where it can't be."""
        return self.opened()


def file_key(absolute: Path) -> str:
    return os.fsencode(absolute).decode(errors="backslashreplace")


@contextmanager
def open_file(path: Path, *, take_last: bool) -> Iterator[OpenLog]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if path.suffix == ".gz" or is_packed(file.peek(2)):
            with unpacked(file) as lines:
                yield OpenLog(LogFile(lines, take_last=take_last), size, file.tell)
        else:
            yield OpenLog(LogFile(file, take_last=take_last), size)


@contextmanager
def open_stream(stream: LogStream, size: int | None) -> Iterator[OpenLog]:
    yield OpenLog(LogFile(stream.lines(), take_last=True), size, stream.tell, stream.stop)
