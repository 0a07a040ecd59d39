"""Logs that arrive piece by piece: uploads, pipes, and what gzip unpacks.

All are read in a thread, which waits for them; what has come before a stream breaks off is read first.
"""

import asyncio
import gzip
import os
import select
import zlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import BinaryIO, cast

from service.errors import TooLarge, TrawlError

GZIP_MAGIC = b"\x1f\x8b"
# What an upload may unpack to at least, and how many times its own size beyond that. Logs shrink 10 to 40
# fold.
FREE_BYTES = 64 * 1024 * 1024
MAX_RATIO = 200
WAKE_SECONDS = 0.2  # how often a reader of a pipe looks whether it is to stop


class BrokenOff(TrawlError):
    """The stream ended before its end."""

    code = "broken_off"


BREAKS = (OSError, EOFError, zlib.error, TrawlError)


class WholeReads:
    """Reads of a size that is kept, from a source that gives what it has.

    What has come before the source fails is given first; the next read raises the failure.
    """

    def __init__(self, read_some: Callable[[int], bytes], rewind: Callable[[], None] | None = None) -> None:
        self._read_some = read_some
        self._rewind = rewind
        self._ready = b""
        self._failure: Exception | None = None

    def read(self, size: int) -> bytes:
        self._fill(size)
        return self._give(size)

    def read1(self, size: int) -> bytes:
        if not self._ready:
            self._fill(1, ask_for=size)
        return self._give(size)

    def readline(self, size: int) -> bytes:
        self._fill(size)
        return self._give(self._ready.find(b"\n", 0, size) + 1 or size)

    def peek(self, size: int) -> bytes:
        self._fill(size)
        return self._ready[:size]

    def seek(self, offset: int) -> int:
        """Only to the start, and only if the source can."""
        assert offset == 0
        assert self._rewind is not None
        self._rewind()
        self._ready, self._failure = b"", None
        return 0

    def _fill(self, size: int, *, ask_for: int = 0) -> None:
        parts, missing = [self._ready], size - len(self._ready)
        while missing > 0 and self._failure is None:
            try:
                part = self._read_some(ask_for or missing)
            except BREAKS as error:
                self._failure = error
                break
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        self._ready = b"".join(parts) if len(parts) > 1 else self._ready

    def _give(self, size: int) -> bytes:
        if not self._ready and self._failure is not None:
            raise self._failure
        given, self._ready = self._ready[:size], self._ready[size:]
        return given


def is_packed(begin: bytes) -> bool:
    return begin.startswith(GZIP_MAGIC)


@contextmanager
def unpacked(file: BinaryIO) -> Iterator[BinaryIO]:
    """What the gzip file holds."""
    with gzip.GzipFile(fileobj=file, mode="rb") as packed:
        yield cast(BinaryIO, WholeReads(packed.read1, packed.rewind))


class LogStream(ABC):
    """A stream, packed or not, that is read once."""

    def __init__(self, *, packed: bool = False, bounded: bool = False) -> None:
        """`packed`: it was said to be; `bounded`: it comes from anybody, and may not unpack to any size."""
        self._packed = packed
        self._bounded = bounded
        self._received = 0
        self._unpacked = 0
        self._inner: WholeReads | None = None
        self._stopped = False

    def lines(self) -> BinaryIO:
        return cast(BinaryIO, WholeReads(self._read_unpacked))

    def tell(self) -> int:
        """How many bytes have come."""
        return self._received

    def stop(self) -> None:
        """Wake the thread that reads: its read fails."""
        self._stopped = True

    @abstractmethod
    def _piece(self, size: int) -> bytes:
        """The next bytes, about `size`; none at the end. Waits for them, but not once stopped: OSError."""

    def _receive(self, size: int) -> bytes:
        piece = self._piece(size)
        self._received += len(piece)
        return piece

    def _read_unpacked(self, size: int) -> bytes:
        if self._inner is None:
            self._inner = WholeReads(self._receive)
            if self._packed:
                self._inner = self._unpack(self._inner)
            if is_packed(self._inner.peek(2)):
                self._inner = self._unpack(self._inner)
        return self._inner.read1(size)

    def _unpack(self, packed: WholeReads) -> WholeReads:
        if not packed.peek(1):  # nothing at all is no log, and no broken gzip either
            return packed
        file = gzip.GzipFile(fileobj=cast(BinaryIO, packed), mode="rb")

        def read_some(size: int) -> bytes:
            part = file.read1(size)
            self._unpacked += len(part)
            if self._bounded and self._unpacked > max(FREE_BYTES, MAX_RATIO * self._received):
                raise TooLarge(f"the upload unpacks to more than {MAX_RATIO} times its size")
            return part

        return WholeReads(read_some)


class UploadedLog(LogStream):
    """An upload, whose pieces the event loop receives: only when they are asked for, so it never piles up."""

    def __init__(self, pieces: AsyncIterator[bytes], *, packed: bool) -> None:
        super().__init__(packed=packed, bounded=True)
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self._asked: Future[bytes] | None = None

    def stop(self) -> None:
        super().stop()
        if self._asked is not None:
            self._asked.cancel()

    def _piece(self, size: int) -> bytes:
        del size
        if self._stopped:
            raise BrokenOff("the upload was stopped")
        self._asked = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
        if self._stopped:  # meanwhile
            self._asked.cancel()
        try:
            return self._asked.result()
        except CancelledError:
            raise BrokenOff("the upload was stopped") from None

    async def _next(self) -> bytes:
        return await anext(self._pieces, b"")


class PipedLog(LogStream):
    """Standard input, or another pipe."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def _piece(self, size: int) -> bytes:
        while not select.select([self._descriptor], [], [], WAKE_SECONDS)[0]:
            if self._stopped:
                raise BrokenOff("reading was stopped")
        return os.read(self._descriptor, min(size, 1024 * 1024))
