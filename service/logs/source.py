"""Where a log comes from: a file that may have been read before, or a stream that is read once."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Self

from service.errors import NotFound
from service.logs.chunks import CHUNK_BYTES, LogFile
from service.logs.pieces import GZIP_MAGIC, gunzipped, is_gzip
from service.logs.streams import GUNZIP_LIMITS, GunzipLimits, LogStream
from service.logs.url_rules import Rules


@dataclass(frozen=True, slots=True)
class OpenLog:
    """A log that is open for reading; `size` is None where it is not known.

    `bytes_read` returns how many bytes have been read as they are stored, gzipped or not. It is None where
    these are the bytes of the lines. `stop` wakes a reader that waits for more: its read fails.
    """

    file: LogFile
    size: int | None
    bytes_read: Callable[[], int] | None = None
    stop: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log to import. `key` names a file, by its absolute path; it is None for a stream, read only once.

    :param open: opens the log at its start; raises OSError where that fails
    """

    name: str
    key: str | None
    open: Callable[[], AbstractContextManager[OpenLog]]

    @classmethod
    def of_file(
        cls, path: Path, *, accept_partial_line: bool = False, chunk_bytes: int = CHUNK_BYTES
    ) -> Self:
        absolute = path.resolve()

        def open_absolute() -> AbstractContextManager[OpenLog]:
            return open_file(absolute, accept_partial_line=accept_partial_line, chunk_bytes=chunk_bytes)

        return cls(path.name, file_key(absolute), open_absolute)

    @classmethod
    def of_key(cls, name: str, key: str) -> Self:
        """Return the file that the row of an import names."""
        path = Path(key)  # no file, where its real path is not UTF-8
        return cls(name, key, lambda: open_file(path))

    @classmethod
    def of_stream(
        cls, name: str, stream: LogStream, *, size: int | None = None, chunk_bytes: int = CHUNK_BYTES
    ) -> Self:
        return cls(name, None, lambda: open_stream(stream, size=size, chunk_bytes=chunk_bytes))


@dataclass(frozen=True, slots=True)
class LogFolder:
    """The logs of a server: one log, other files of one folder by name, uploads; and how all are read.

    :param zone: of times that name none
    :param rules: classify the URLs of logs in a standard format
    :param chunk_bytes: how much is parsed and stored at a time
    """

    file: Path
    folder: Path
    zone: tzinfo
    rules: Rules | None = None
    chunk_bytes: int = CHUNK_BYTES
    gunzip_limits: GunzipLimits = GUNZIP_LIMITS

    def get_source(self, name: str | None) -> LogSource:
        """Return the log, or the file of that name in the folder.

        :raises NotFound: `no_such_log`, also for a name or a link that leads out of the folder
        """
        if name is None:
            if not self.file.is_file():
                raise NotFound(f"there is no log at LOGS_FILE yet ({self.file.name})", code="no_such_log")
            return LogSource.of_file(self.file, chunk_bytes=self.chunk_bytes)
        try:
            path = (self.folder / name).resolve()
            is_inside = path.is_relative_to(self.folder.resolve()) and path.is_file()
        except (OSError, ValueError, RuntimeError):  # the name is too long, has a NUL, or is a loop of links
            is_inside = False
        if not is_inside:
            raise NotFound(f"no log {name!r} in the log folder", code="no_such_log")
        return LogSource.of_file(path, chunk_bytes=self.chunk_bytes)


def file_key(absolute: Path) -> str:
    """Return the key of a file: its path, with bytes that are not UTF-8 escaped."""
    return os.fsencode(absolute).decode(errors="backslashreplace")


@contextmanager
def open_file(
    path: Path, *, accept_partial_line: bool = False, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[OpenLog]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if path.suffix == ".gz" or is_gzip(file.peek(len(GZIP_MAGIC))):
            with gunzipped(file) as lines:
                log = LogFile(lines, accept_partial_line=accept_partial_line, chunk_bytes=chunk_bytes)
                yield OpenLog(log, size, file.tell)
        else:
            log = LogFile(file, accept_partial_line=accept_partial_line, chunk_bytes=chunk_bytes)
            yield OpenLog(log, size)


@contextmanager
def open_stream(stream: LogStream, *, size: int | None, chunk_bytes: int) -> Iterator[OpenLog]:
    log = LogFile(stream.lines(), accept_partial_line=True, chunk_bytes=chunk_bytes)
    yield OpenLog(log, size, stream.tell, stream.stop)
