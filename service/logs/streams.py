"""Logs that arrive in pieces, gzipped or not: uploads and pipes.

They are read in a thread, which waits for the pieces. What arrived before a stream broke off is read first.
"""

import asyncio
import os
import select
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import BinaryIO

from service.errors import TooLarge, TrawlError
from service.logs.pieces import GZIP_MAGIC, DataFirstReader, GunzippedPieces, PieceReader, is_gzip

PIPE_BYTES = 1024 * 1024  # read from a pipe at a time, at most
STOP_CHECK_SECONDS = 0.2  # how often the reader of a silent pipe checks whether it must stop


class BrokenOff(TrawlError):
    """The stream ended before its end."""

    code = "broken_off"


@dataclass(frozen=True, slots=True)
class GunzipLimits:
    """How large an upload may become when gunzipped: `ratio` times its size, or `free_bytes` if that is more.

    Logs shrink 10 to 40 fold.
    """

    free_bytes: int = 64 * 1024 * 1024
    ratio: int = 200


GUNZIP_LIMITS = GunzipLimits()


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
        content = GunzippedPieces(DataFirstReader(pieces))

        def read_piece(size: int) -> bytes:
            piece = content.read(size)
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
