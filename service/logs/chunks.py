"""Cuts a log into chunks of whole lines, with flat memory whatever the length of its lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, Self

from service.logs.shop_format import MAX_LINE_BYTES

CHUNK_BYTES = 8 * 1024 * 1024
TAIL_BYTES = 1024 * 1024  # kept of what stands before a chunk
HEAD_BYTES = 64 * 1024  # kept of the begin of the log
CHECKED_BYTES = 4096  # compared where a log is read on after a while


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a log has been read: bytes, lines (blank ones too), and the digest of the bytes before."""

    offset: int
    line: int
    prefix_sha256: bytes

    @classmethod
    def start(cls) -> Self:
        return cls(0, 0, sha256().digest())


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines: `data` begins at `offset` (bytes) with line `line` (from 1). `end` is where to go on after it.

    A last line without its newline leaves `end` before it: what the line grows to is read as a whole then.
    `before` are the bytes before `data`, TAIL_BYTES at most, and `head` is how the whole log begins.
    """

    data: bytes
    offset: int
    line: int
    end: Position
    before: bytes = b""
    head: bytes = b""


class LogFile:
    """A log that is read in chunks, from the start or from a position before which nothing has changed."""

    def __init__(self, stream: BinaryIO, *, take_last: bool = False, chunk_bytes: int | None = None) -> None:
        self._stream = stream
        self._take_last = take_last
        self._chunk_bytes = chunk_bytes or CHUNK_BYTES
        self._restart()

    def _restart(self) -> None:
        self._digest = sha256()
        self._line = 0
        self._head = self._tail = b""
        self._moved = False
        self.offset = 0

    @property
    def position(self) -> Position:
        return Position(self.offset, self._line, self._digest.digest())

    def take_last(self) -> None:
        """From now on a last line without its newline is given: nothing will be written behind it."""
        self._take_last = True

    def go_to(self, position: Position) -> bool:
        """Go to the position, if what stands before it is what stood there. Else go to the start."""
        if position != self.position or not self._is_undisturbed():
            if self._moved:
                self._stream.seek(0)
            self._restart()
            return self.resume(position)
        return True

    def _is_undisturbed(self) -> bool:
        """Whether the last bytes that were read still stand there; the stream then stands behind them."""
        if not self._moved:
            return True
        known = self._tail[-CHECKED_BYTES:]
        self._stream.seek(self.offset - len(known))
        return self._stream.read(len(known)) == known

    def resume(self, position: Position) -> bool:
        """Go on from the start to the position, if what stands before it is what stood there.

        Else the log was rewritten, and is at its start.
        """
        left = position.offset
        while left and (block := self._stream.read(min(left, self._chunk_bytes))):
            self._moved = True
            self._take(block)
            left -= len(block)
        if left or self._digest.digest() != position.prefix_sha256:
            self._stream.seek(0)
            self._restart()
            return False
        self._line = position.line
        return True

    def chunks(self) -> Iterator[Chunk]:
        """What is left of the log.

        A last line without a newline is given only if `take_last`. Of a line longer than any may be, just so
        much is given that its reader must refuse it.
        """
        rest = b""
        while block := self._stream.read(self._chunk_bytes - len(rest)):
            self._moved = True
            data = rest + block
            end = data.rfind(b"\n") + 1
            if end:
                rest = data[end:]
                yield self._chunk(data[:end])
            elif len(data) < self._chunk_bytes:
                rest = data
            else:
                rest = b""
                yield from self._oversized_line(data)
        if rest and self._take_last:
            head = self._head or rest[:HEAD_BYTES]
            yield Chunk(rest, self.offset, self._line + 1, self.position, self._tail, head)

    def _chunk(self, data: bytes) -> Chunk:
        offset, line, before = self.offset, self._line + 1, self._tail
        self._take(data)
        self._line += data.count(b"\n")
        return Chunk(data, offset, line, self.position, before, self._head)

    def _take(self, data: bytes) -> None:
        """The bytes, whole lines or a part of them, are behind us."""
        self._digest.update(data)
        self.offset += len(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        self._tail = data[-TAIL_BYTES:] if len(data) >= TAIL_BYTES else (self._tail + data)[-TAIL_BYTES:]

    def _oversized_line(self, begin: bytes) -> Iterator[Chunk]:
        """Reads on to the end of the line that begins so; its chunk is cut short."""
        offset, line, before = self.offset, self._line + 1, self._tail
        shortened = begin[: MAX_LINE_BYTES + 1]
        digest, length, block = self._digest.copy(), len(begin), begin
        digest.update(begin)
        while not block.endswith(b"\n") and (block := self._stream.readline(MAX_LINE_BYTES)):
            digest.update(block)
            length += len(block)
        if block:
            self._digest, self.offset, self._line = digest, offset + length, line
            self._tail = block
            self._head = self._head or shortened[:HEAD_BYTES]
            yield Chunk(shortened + b"\n", offset, line, self.position, before, self._head)
        elif self._take_last:
            yield Chunk(shortened, offset, line, self.position, before, self._head)
