"""Makes files of pieces of bytes, such that what arrived before a failure is read before it is raised."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from service.errors import TrawlError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP_MAGIC = b"\x1f\x8b"
READ_ERRORS = (OSError, TrawlError)


class BrokenGzip(TrawlError):
    """What should be gzip is damaged, or ends too early."""

    code = "broken_gzip"


class GunzippedPieces:
    """Reads what a gzip file holds, in pieces.

    :raises BrokenGzip: from each method, when the data is broken
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._content = gzip.GzipFile(fileobj=file, mode="rb")

    def read(self, size: int) -> bytes:
        """Return the next bytes, `size` at most; b"" at the end."""
        with broken_gzip_errors():
            return self._content.read1(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and offset == 0:
            # GzipFile does not go back when its first read failed: its position was 0 all the time.
            self._content = gzip.GzipFile(fileobj=self._file, mode="rb")
            return self._file.seek(0)
        with broken_gzip_errors():
            return self._content.seek(offset, whence)


@contextmanager
def broken_gzip_errors() -> Iterator[None]:
    """Turn the errors of Python's gzip into BrokenGzip."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BrokenGzip("the gzip data is broken or cut off") from error


class PieceReader(io.RawIOBase):
    """A raw stream of the pieces that a function returns; DataFirstReader makes a file of it.

    An error of the function ends the stream and is kept in `failure`. BufferedReader would lose the bytes
    that it has gathered so far if the error was raised from below it.
    """

    def __init__(
        self,
        read_piece: Callable[[int], bytes | memoryview],
        *,
        seek: Callable[[int, int], int] | None = None,
    ) -> None:
        """`read_piece` takes the number of bytes wanted, returns any number, and b"" at the end."""
        self.failure: Exception | None = None
        self._read_piece = read_piece
        self._seek = seek
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seek is not None

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if self._seek is None:
            raise io.UnsupportedOperation("seek")
        if whence == io.SEEK_SET:
            self._rest, self.failure = memoryview(b""), None
        return self._seek(offset, whence)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        target = memoryview(buffer)
        piece = self._rest or self._receive(len(target))
        count = min(len(target), len(piece))
        target[:count] = piece[:count]
        self._rest = piece[count:]
        return count

    def next_piece(self, size: int) -> bytes | memoryview:
        """Return the next piece without a copy. Once there is none, raise the failure if there was one."""
        piece, self._rest = self._rest or self._receive(size), memoryview(b"")
        if not piece and self.failure is not None:
            raise self.failure
        return piece

    def peek(self, size: int) -> bytes:
        """Return the next bytes, fewer than `size` only at the end, and leave them to be read."""
        data = bytes(self._rest)
        while len(data) < size and (piece := self._receive(size)):
            data += piece
        self._rest = memoryview(data)
        return data[:size]

    def _receive(self, size: int) -> memoryview:
        if self.failure is None:
            try:
                return memoryview(self._read_piece(size))
            except READ_ERRORS as error:
                self.failure = error
        return memoryview(b"")


class DataFirstReader(io.BufferedReader):
    """Reads everything that arrived before the stream failed; the next read raises the failure."""

    def __init__(self, pieces: PieceReader) -> None:
        super().__init__(pieces)
        self._pieces = pieces

    def read(self, size: int | None = -1, /) -> bytes:
        return self._data_or_failure(super().read(size))

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._data_or_failure(super().readline(size))

    def _data_or_failure(self, data: bytes) -> bytes:
        if not data and self._pieces.failure is not None:
            raise self._pieces.failure
        return data


def is_gzip(begin: bytes) -> bool:
    return begin.startswith(GZIP_MAGIC)


def gunzipped(file: BinaryIO) -> BinaryIO:
    """Return what a gzip file holds; the stream can go back to its start."""
    pieces = GunzippedPieces(file)
    return DataFirstReader(PieceReader(pieces.read, seek=pieces.seek))
