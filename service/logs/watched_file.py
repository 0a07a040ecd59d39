"""A log that another program writes, with a memory: what was seen of it can be read also after it was cut."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from service.logs.chunks import CHECKED_BYTES
from service.logs.source import open_plain_file

NEWLINE = b"\n"
HOLE_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How many bytes of a file are remembered that have not been stored: a look reads no further."""

    ahead_bytes: int = 8 * 1024 * 1024


WATCH_LIMITS = WatchLimits()


class WatchedFile:
    """A file that is looked at now and then, and read like a stream, which ends where the file was cut.

    A look remembers what was written since the last one, from the byte that was released last; of the NULs
    that a file begins with, which a cut leaves under its writer, no more than how many they are. Looks and
    reads may come from two threads.
    """

    def __init__(self, path: Path, *, limits: WatchLimits = WATCH_LIMITS) -> None:
        """:raises OSError: the file can't be opened, or is not a plain file by its real path"""
        self._file = open_plain_file(path)
        self._limits = limits
        self._lock = threading.Lock()
        self._window = bytearray()
        self._start = 0  # of the window in the file
        self.hole = 0  # so many bytes of the file, before the window, are NULs
        self._cursor = 0
        self._last_state: tuple[int, int] | None = None  # size and time of change at the last look
        self.size = 0
        self.is_cut = False
        self.turn_end: int | None = None  # a read goes no further; None: to the end
        stat = os.fstat(self._file.fileno())
        self.identity = (stat.st_dev, stat.st_ino)

    @property
    def is_empty(self) -> bool:
        """Whether nothing but NULs was seen in it."""
        return self.size <= self.hole

    def look(self) -> bool:
        """Read what is new into the memory. Return whether the file has changed; a cut one never does."""
        with self._lock:
            if self.is_cut or self._file.closed:
                return False
            stat = os.fstat(self._file.fileno())
            state = (stat.st_size, stat.st_mtime_ns)
            if state == self._last_state:
                return False
            self._last_state = state
            if self._check(stat.st_size):
                self._extend(self._start + self._limits.ahead_bytes)
            return True

    def has_lines(self, offset: int, *, partial: bool = False) -> bool:
        """Return whether there is a whole line behind the offset; or any byte, if `partial`."""
        with self._lock:
            if self.size > self._end and not self.is_cut:
                return self.size > offset
            if self.is_cut and self.hole <= offset < self._start:
                return False  # what stood there is forgotten
            begin = max(0, offset - self._start)
            return self._end > offset and (partial or self._window.find(NEWLINE, begin) >= 0)

    def release(self, offset: int) -> None:
        """Discard what stands before the offset, as it is stored, but for the bytes that tell of a cut."""
        with self._lock:
            self._discard(offset - CHECKED_BYTES - self._start)

    @property
    def _end(self) -> int:
        return self._start + len(self._window)

    def _check(self, size: int) -> bool:
        """Return whether what was read still stands in the file, now of the size. If not, it was cut."""
        known = bytes(self._window[-CHECKED_BYTES:])
        self.is_cut = size < self._end or self._pread(len(known), self._end - len(known)) != known
        if not self.is_cut:
            self.size = size
            self._skip_hole()
        return not self.is_cut

    def _skip_hole(self) -> None:
        """Let the memory begin behind the NULs that the file begins with: they tell nothing of a cut."""
        while not self._window and self._start == self.hole < self.size:
            try:
                begin = max(self.hole, os.lseek(self._file.fileno(), self.hole, os.SEEK_DATA))
            except OSError:  # none of it is data, or the file system can't tell
                begin = self.hole
            block = self._pread(HOLE_BLOCK_BYTES, begin)
            self._start = self.hole = begin + len(block) - len(block.lstrip(b"\0"))
            if self.hole < begin + len(block) or not block:
                return

    def _extend(self, end: int) -> None:
        """Remember the file up to there, or to its size: a hole may have come behind that since."""
        count = min(end, self.size) - self._end
        if count > 0:
            self._window += self._pread(count, self._end)

    def _discard(self, count: int) -> None:
        if count > 0:
            count = min(count, len(self._window))
            del self._window[:count]
            self._start += count

    def _pread(self, count: int, offset: int) -> bytes:
        data = b""
        while len(data) < count and (
            more := os.pread(self._file.fileno(), count - len(data), offset + len(data))
        ):
            data += more
        return data

    def seek(self, offset: int) -> int:
        self._cursor = offset
        return offset

    def read(self, count: int) -> bytes:
        """Read up to so many bytes; none at the end."""
        with self._lock:
            if self.turn_end is not None:
                count = max(0, min(count, self.turn_end - self._cursor))
            data = self._take(count)
            self._cursor += len(data)
            return data

    def readline(self, count: int) -> bytes:
        data = self.read(count)
        line = data[: data.find(NEWLINE) + 1] or data
        self._cursor -= len(data) - len(line)
        return line

    def _take(self, count: int) -> bytes:
        """Return the bytes at the cursor: of the memory, or of the file, which extends the memory."""
        end = self._cursor + count
        if end > self._end and not self.is_cut and self._check(os.fstat(self._file.fileno()).st_size):
            self._extend(end)
        if self._cursor < self.hole:
            return bytes(min(count, self.hole - self._cursor))
        if self._cursor < self._start:
            return b"" if self.is_cut else self._pread(min(count, self._start - self._cursor), self._cursor)
        begin = self._cursor - self._start
        data = bytes(self._window[begin : begin + count])
        self._discard(len(self._window) - max(self._limits.ahead_bytes, CHECKED_BYTES))
        return data

    def close(self) -> None:
        with self._lock:
            self._file.close()
