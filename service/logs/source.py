"""Where a log comes from: a file that may have been read before, or a stream that is read once."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Self

from service.logs.chunks import CHUNK_BYTES, LogFile
from service.logs.file_location import locate
from service.logs.first_line import NO_FIRST_LINE, digest_first_line
from service.logs.format_options import FormatOptions
from service.logs.pieces import GZIP_MAGIC, READ_ERRORS, gunzipped, is_gzip
from service.logs.streams import LogStream


@dataclass(frozen=True, slots=True)
class OpenLog:
    """A log that is open for reading; `size` is None where it is not known.

    `bytes_read` returns how many bytes have been read as they are stored, gzipped or not. It is None where
    these are the bytes of the lines. `stop` wakes a reader that waits for more: its read fails. `first_line`
    returns the digest of the first line that fits, which with the path tells one file from another; it reads.
    Lines may be appended to one that `may_grow`, and it is read again then.
    """

    file: LogFile
    size: int | None
    bytes_read: Callable[[], int] | None = None
    stop: Callable[[], None] = lambda: None
    first_line: Callable[[FormatOptions], bytes] = lambda _: NO_FIRST_LINE
    may_grow: bool = False


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log to import. `key` names a file, by its absolute path; it is None for a stream, read only once.

    :param open: opens the log at its start; raises OSError where that fails
    :param followed_as: the path under which it is followed, which may be a link
    :param location: of the file; None for a stream
    """

    name: str
    key: str | None
    open: Callable[[], AbstractContextManager[OpenLog]]
    followed_as: str | None = None
    location: str | None = None

    @classmethod
    def of_file(
        cls, path: Path, *, accept_partial_line: bool = False, chunk_bytes: int = CHUNK_BYTES
    ) -> Self:
        absolute = path.resolve()

        def open_absolute() -> AbstractContextManager[OpenLog]:
            return open_file(absolute, accept_partial_line=accept_partial_line, chunk_bytes=chunk_bytes)

        key = file_key(absolute)
        return cls(path.name, key, open_absolute, location=locate(key))

    @classmethod
    def of_key(cls, name: str, key: str) -> Self:
        """Return the file that the row of an import names."""
        path = Path(key)  # no file, where its real path is not UTF-8
        return cls(name, key, lambda: open_file(path), location=locate(key))

    @classmethod
    def of_stream(
        cls, name: str, stream: LogStream, *, size: int | None = None, chunk_bytes: int = CHUNK_BYTES
    ) -> Self:
        return cls(name, None, lambda: open_stream(stream, size=size, chunk_bytes=chunk_bytes))

    def digest_first_line(self, formats: FormatOptions) -> bytes:
        """Return the digest of the first line that fits.

        :raises OSError: the log can't be read
        """
        with self.open() as log:
            return log.first_line(formats)


def file_key(absolute: Path) -> str:
    """Return the key of a file: its path, with bytes that are not UTF-8 escaped."""
    return os.fsencode(absolute).decode(errors="backslashreplace")


@contextmanager
def open_file(
    path: Path, *, accept_partial_line: bool = False, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[OpenLog]:
    with open_plain_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if path.suffix == ".gz" or is_gzip(file.peek(len(GZIP_MAGIC))):
            lines = gunzipped(file)
            log = LogFile(lines, accept_partial_line=accept_partial_line, chunk_bytes=chunk_bytes)
            yield OpenLog(log, size, file.tell, first_line=partial(digest_and_rewind, lines, log))
        else:
            log = LogFile(file, accept_partial_line=accept_partial_line, chunk_bytes=chunk_bytes)
            yield OpenLog(log, size, first_line=partial(digest_and_rewind, file, log, begin=data_begin(file)))


def data_begin(file: BinaryIO) -> int:
    """Return where the data of a file begin, behind the hole at its start; 0 if the file is all hole."""
    descriptor = file.fileno()
    at = os.lseek(descriptor, 0, os.SEEK_CUR)
    try:
        return os.lseek(descriptor, 0, os.SEEK_DATA)
    except OSError:  # there is nothing else in it
        return 0
    finally:
        os.lseek(descriptor, at, os.SEEK_SET)  # where the buffer of the file supposes it


def digest_and_rewind(file: BinaryIO, log: LogFile, formats: FormatOptions, *, begin: int = 0) -> bytes:
    """Return the digest of the first line that fits from `begin` on, and go back to the start.

    One that can't be read there has none: the import will meet the error again, and its row tells it.
    """
    try:
        file.seek(begin)
        return digest_first_line(file, formats, accept_partial_line=log.accepts_partial_line)[0]
    except READ_ERRORS:
        return NO_FIRST_LINE
    finally:
        file.seek(0)


@contextmanager
def open_stream(stream: LogStream, *, size: int | None, chunk_bytes: int) -> Iterator[OpenLog]:
    log = LogFile(stream.lines(), accept_partial_line=True, chunk_bytes=chunk_bytes)
    yield OpenLog(log, size, stream.tell, stream.stop)


def open_plain_file(path: Path) -> BufferedReader:
    """Open a plain file by its real path. No link is followed, whatever was put on the way since.

    :raises OSError: it can't be opened, or is a link, a folder, a pipe or a device
    """
    absolute = path.absolute()
    folder = os.open(absolute.anchor, os.O_PATH | os.O_DIRECTORY)
    try:
        for part in absolute.parts[1:-1]:
            inner = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        # A pipe would block here until somebody writes to it.
        descriptor = os.open(absolute.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is not a plain file", os.fspath(path))
    return open(descriptor, "rb")  # noqa: PTH123 - of a descriptor, for which pathlib has nothing
