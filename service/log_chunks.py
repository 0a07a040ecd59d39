"""Cuts a log into chunks of whole lines, with flat memory whatever the length of its lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, Self

from service.access_log import MAX_LINE_BYTES

CHUNK_BYTES = 16 * 1024 * 1024


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
    """

    data: bytes
    offset: int
    line: int
    end: Position


class LogFile:
    """A log that is read in chunks, from the start or from a position before which nothing has changed."""

    def __init__(self, stream: BinaryIO, *, take_last: bool = False, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._stream = stream
        self._take_last = take_last
        self._chunk_bytes = chunk_bytes
        self._digest = sha256()
        self._line = 0
        self.offset = 0

    def resume(self, position: Position) -> bool:
        """Go to the position, if what stands before it is what stood there. Else the log was rewritten."""
        digest = sha256()
        left = position.offset
        while left and (block := self._stream.read(min(left, self._chunk_bytes))):
            digest.update(block)
            left -= len(block)
        if left or digest.digest() != position.prefix_sha256:
            self._stream.seek(0)
            return False
        self._digest, self.offset, self._line = digest, position.offset, position.line
        return True

    def chunks(self) -> Iterator[Chunk]:
        """What is left of the log.

        A last line without a newline is given only if `take_last`. Of a line longer than any may be, just so
        much is given that its reader must refuse it.
        """
        rest = b""
        while block := self._stream.read(self._chunk_bytes - len(rest)):
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
            yield Chunk(rest, self.offset, self._line + 1, self._position())

    def _chunk(self, data: bytes) -> Chunk:
        offset, line = self.offset, self._line + 1
        self._digest.update(data)
        self.offset += len(data)
        self._line += data.count(b"\n")
        return Chunk(data, offset, line, self._position())

    def _oversized_line(self, begin: bytes) -> Iterator[Chunk]:
        """Reads on to the end of the line that begins so; its chunk is cut short."""
        offset, line = self.offset, self._line + 1
        shortened = begin[: MAX_LINE_BYTES + 1]
        digest, length, block = self._digest.copy(), len(begin), begin
        digest.update(begin)
        while not block.endswith(b"\n") and (block := self._stream.readline(MAX_LINE_BYTES)):
            digest.update(block)
            length += len(block)
        if block:
            self._digest, self.offset, self._line = digest, offset + length, line
            yield Chunk(shortened + b"\n", offset, line, self._position())
        elif self._take_last:
            yield Chunk(shortened, offset, line, self._position())

    def _position(self) -> Position:
        return Position(self.offset, self._line, self._digest.digest())
