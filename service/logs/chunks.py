"""Cuts a log into chunks of whole lines, with flat memory whatever the length of its lines."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO, Self

from service.logs.shop_format import MAX_LINE_BYTES

CHUNK_BYTES = 8 * 1024 * 1024
LONG_LINE, MORE_BYTES = (
    400,
    2,
)  # where lines have so many bytes, chunks have twice as many: each costs something
TAIL_BYTES = 16 * 1024 * 1024  # remembered of what stands before the first chunk
HEAD_BYTES = 64 * 1024  # remembered of the beginning of the log
HOLE = b"\n" + bytes(MAX_LINE_BYTES)  # what a file has where it was cut under its writer
CHECKED_BYTES = 4096  # compared with the file when reading resumes after a pause
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What may stand before a line: NULs, which copytruncate leaves under a writer, and a mark of the encoding.
BEFORE_LINE = re.compile(rb"(?:\0|\xef\xbb\xbf)+")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log has been read: bytes, lines (blank ones too), and the digest of those bytes."""

    offset: int
    line: int
    prefix_sha256: bytes

    @classmethod
    def start(cls) -> Self:
        return cls(0, 0, sha256().digest())


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines: `data` begins at byte `offset` with line number `line` (from 1).

    `end` is where reading resumes after it. It stands before a last line that has no newline yet: that line
    is read again when it is whole. `before` are the bytes before `data`, at most TAIL_BYTES, if reading began
    with this chunk, which is not the first of the log. `head` is how the log begins.
    """

    data: bytes
    offset: int
    line: int
    end: Position
    before: bytes = b""
    head: bytes = b""


def without_marks(line: bytes) -> bytes:
    """Return a line without the NULs and the byte order mark before it."""
    mark = BEFORE_LINE.match(line)
    return line[mark.end() :] if mark else line


class LogFile:
    """A log that is read in chunks, from its start or from a position before which nothing has changed.

    `parser` is for who parses the chunks, to go on with the next ones: None once reading begins anew.
    """

    def __init__(
        self, stream: BinaryIO, *, accept_partial_line: bool = False, chunk_bytes: int = CHUNK_BYTES
    ) -> None:
        """`accept_partial_line`: also read a last line that has no newline."""
        self._stream = stream
        self.accepts_partial_line = accept_partial_line
        self._chunk_bytes = chunk_bytes
        self._reset()

    def _reset(self) -> None:
        self._digest = sha256()
        self._line = 0
        self._head = self._tail = self._before = b""
        self.parser: Any = None
        self._is_read = False
        self.offset = 0

    @property
    def position(self) -> Position:
        return Position(self.offset, self._line, self._digest.digest())

    def accept_partial_line(self) -> None:
        """Read a last line without its newline from now on: nothing more will be written to the file."""
        self.accepts_partial_line = True

    def seek(self, position: Position) -> bool:
        """Go to the position. False if what stood before it has changed: then go to the start."""
        if position == self.position and self._tail_is_unchanged():
            return True
        if self._is_read:
            self._stream.seek(0)
        self._reset()
        return self.skip_to(position)

    def _tail_is_unchanged(self) -> bool:
        """Compare the last bytes that were read with the file; the stream then stands behind them."""
        if not self._is_read:
            return True
        self._stream.seek(self.offset - len(self._tail))
        return self._stream.read(len(self._tail)) == self._tail

    def skip_to(self, position: Position) -> bool:
        """Read from the start to the position, to compare the digest. False, at the start, if it differs."""
        remaining = position.offset
        blocks, size = deque[bytes](), 0
        while remaining and (block := self._stream.read(min(remaining, self._chunk_bytes))):
            self._is_read = True
            self._advance(block)
            remaining -= len(block)
            blocks.append(block)
            size += len(block)
            while size - len(blocks[0]) >= TAIL_BYTES:
                size -= len(blocks.popleft())
        if remaining or self._digest.digest() != position.prefix_sha256:
            self._stream.seek(0)
            self._reset()
            return False
        self._line = position.line
        self._before = b"".join(blocks)[-TAIL_BYTES:]
        return True

    def chunks(self) -> Iterator[Chunk]:
        """Read the rest of the log.

        A last line without a newline is a chunk only if partial lines are accepted. A line that is longer
        than lines may be is cut to a length that its parser must reject. NULs before a line, which a writer
        leaves whose file was cut under it, are skipped where a chunk begins, and there it begins anew where
        they are longer than a line.
        """
        rest = b""
        chunk_bytes = self._chunk_bytes
        while block := self._stream.read(chunk_bytes - len(rest)):
            self._is_read = True
            data = self._skip_nuls(rest + block)
            while end := data.find(HOLE) + 1:
                yield self._chunk(data[:end])
                data = self._skip_nuls(data[end:])
            end = data.rfind(b"\n") + 1
            if end:
                rest = data[end:]
                line = self._line
                yield self._chunk(data[:end])
                if end > LONG_LINE * (self._line - line):
                    chunk_bytes = MORE_BYTES * self._chunk_bytes
            elif len(data) < chunk_bytes:
                rest = data
            else:
                rest = b""
                yield from self._oversized_line(data)
        if rest and self.accepts_partial_line:
            head = self._head or rest[:HEAD_BYTES]
            yield Chunk(rest, self.offset, self._line + 1, self.position, self._take_before(), head)

    def _take_before(self) -> bytes:
        before, self._before = self._before, b""
        return before

    def _skip_nuls(self, data: bytes) -> bytes:
        """Move past the NULs that data begins with, and return the rest."""
        if not data.startswith(b"\0"):
            return data
        # Blocks of a hole are compared much faster than stripped.
        rest = b"" if data == bytes(len(data)) else data.lstrip(b"\0")
        self._advance(data[: len(data) - len(rest)])
        return rest

    def _chunk(self, data: bytes) -> Chunk:
        """Move past whole lines and return them as a chunk."""
        offset, line, before = self.offset, self._line + 1, self._take_before()
        self._advance(data)
        self._line += data.count(b"\n")
        return Chunk(data, offset, line, self.position, before, self._head)

    def _advance(self, data: bytes) -> None:
        """Move past the bytes, which are whole lines or a part of them."""
        self._digest.update(data)
        self.offset += len(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        self._tail = (self._tail + data[-CHECKED_BYTES:])[-CHECKED_BYTES:]

    def _oversized_line(self, begin: bytes) -> Iterator[Chunk]:
        """Read to the end of the line that begins so; its chunk is cut short."""
        offset, line, before = self.offset, self._line + 1, self._take_before()
        shortened = begin[: MAX_LINE_BYTES + 1]
        digest, length, block = self._digest.copy(), len(begin), begin
        digest.update(begin)
        while not block.endswith(b"\n") and (block := self._stream.readline(MAX_LINE_BYTES)):
            digest.update(block)
            length += len(block)
        if block:
            self._digest, self.offset, self._line = digest, offset + length, line
            self._tail = block[-CHECKED_BYTES:]
            self._head = self._head or shortened[:HEAD_BYTES]
            yield Chunk(shortened + b"\n", offset, line, self.position, before, self._head)
        elif self.accepts_partial_line:
            yield Chunk(shortened, offset, line, self.position, before, self._head)
