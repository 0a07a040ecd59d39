"""Logs that arrive in pieces: uploads, pipes, and what gzip files hold.

They are read in a thread, which waits for the pieces. What arrived before a stream broke off is read first.
"""

import asyncio
import gzip
import io
import os
import select
import zlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from service.errors import TooLarge, TrawlError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP_MAGIC = b"\x1f\x8b"
PIPE_BYTES = 1024 * 1024  # read from a pipe at a time, at most
STOP_CHECK_SECONDS = 0.2  # how often the reader of a silent pipe checks whether it must stop


class BrokenOff(TrawlError):
    """The stream ended before its end."""

    code = "broken_off"


READ_ERRORS = (OSError, EOFError, zlib.error, TrawlError)


@dataclass(frozen=True, slots=True)
class GunzipLimits:
    """How large an upload may become when gunzipped: `ratio` times its size, or `free_bytes` if that is more.

    Logs shrink 10 to 40 fold.
    """

    free_bytes: int = 64 * 1024 * 1024
    ratio: int = 200


GUNZIP_LIMITS = GunzipLimits()


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


@contextmanager
def gunzipped(file: BinaryIO) -> Iterator[BinaryIO]:
    """Open what a gzip file holds; the stream can go back to its start."""
    with gzip.GzipFile(fileobj=file, mode="rb") as content:
        yield DataFirstReader(PieceReader(content.read1, seek=content.seek))


class LogStream(ABC):
    """A stream, gzipped or not, that is read once."""

    def __init__(self, *, gzipped: bool = False, limits: GunzipLimits | None = None) -> None:
        """`gzipped` is what the sender declares; gzip is recognized without it too."""
        self._gzipped = gzipped
        self._limits = limits
        self._received = 0
        self._gunzipped = 0
        self._content: PieceReader | None = None
        self._stopped = False

    def lines(self) -> BinaryIO:
        """Return the log as a file. Its first read finds out whether the first bytes are gzip."""
        return DataFirstReader(PieceReader(self._read_content))

    def tell(self) -> int:
        """Return how many bytes have arrived, gzipped or not."""
        return self._received

    def stop(self) -> None:
        """Wake the thread that reads: its read fails."""
        self._stopped = True

    @abstractmethod
    def _piece(self, size: int) -> bytes:
        """Wait for the next bytes, about `size`, and return them; b"" at the end.

        :raises BrokenOff: the stream was stopped, or ended before its end
        """

    def _receive(self, size: int) -> bytes:
        piece = self._piece(size)
        self._received += len(piece)
        return piece

    def _read_content(self, size: int) -> bytes | memoryview:
        if self._content is None:
            self._content = PieceReader(self._receive)
            if self._gzipped:
                self._content = self._gunzip(self._content)
            if is_gzip(self._content.peek(len(GZIP_MAGIC))):
                self._content = self._gunzip(self._content)
        return self._content.next_piece(size)

    def _gunzip(self, pieces: PieceReader) -> PieceReader:
        if not pieces.peek(1):  # an empty body is an empty log, also where it is declared as gzip
            return pieces
        file = gzip.GzipFile(fileobj=DataFirstReader(pieces), mode="rb")

        def read_piece(size: int) -> bytes:
            piece = file.read1(size)
            self._gunzipped += len(piece)
            self._check_size()
            return piece

        return PieceReader(read_piece)

    def _check_size(self) -> None:
        limits = self._limits
        if limits and self._gunzipped > max(limits.free_bytes, limits.ratio * self._received):
            raise TooLarge(f"the upload unpacks to more than {limits.ratio} times its size")


class UploadedLog(LogStream):
    """An upload, whose pieces the event loop receives only on demand, so that they never pile up."""

    def __init__(
        self, pieces: AsyncIterator[bytes], *, gzipped: bool, limits: GunzipLimits = GUNZIP_LIMITS
    ) -> None:
        super().__init__(gzipped=gzipped, limits=limits)
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self._next_piece: Future[bytes] | None = None

    def stop(self) -> None:
        super().stop()
        if self._next_piece is not None:
            self._next_piece.cancel()

    def _piece(self, size: int) -> bytes:
        del size
        if self._stopped:
            raise BrokenOff("the upload was stopped")
        self._next_piece = asyncio.run_coroutine_threadsafe(self._receive_piece(), self._loop)
        if self._stopped:  # meanwhile, so that stop() may have seen no future to cancel
            self._next_piece.cancel()
        try:
            return self._next_piece.result()
        except CancelledError:
            raise BrokenOff("the upload was stopped") from None

    async def _receive_piece(self) -> bytes:
        return await anext(self._pieces, b"")


class PipedLog(LogStream):
    """Standard input, or another pipe."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def _piece(self, size: int) -> bytes:
        while not select.select([self._descriptor], [], [], STOP_CHECK_SECONDS)[0]:
            if self._stopped:
                raise BrokenOff("reading was stopped")
        return os.read(self._descriptor, min(size, PIPE_BYTES))
