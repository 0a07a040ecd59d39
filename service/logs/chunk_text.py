"""The bytes of a chunk, for numpy: where lines are, and 8 bytes at any place as a word.

A word is the little-endian number of 8 bytes: its lowest byte is the first. Arithmetic on an array of words
treats the same 8 bytes of many lines at once.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from service.logs.chunks import BEFORE_LINE, BYTE_ORDER_MARK

Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

WORD = 8
PADDING = 128  # bytes after the chunk, so that words may be read at its end
NEWLINE, CARRIAGE_RETURN = b"\n\r"
LAST_ASCII = 0x7F
QUOTE, RIGHT_BRACKET, SPACE = b'"] '
MORE_QUOTES = 3  # places after the last one, so that the next few quotes can be looked up anywhere


def word(text: bytes) -> np.uint64:
    """Return 8 bytes, or fewer and zeros, as a word."""
    return np.uint64(int.from_bytes(text.ljust(WORD, b"\0"), "little"))


def repeat(byte: int) -> np.uint64:
    return word(bytes([byte]) * WORD)


HIGH_BITS, ONES = repeat(0x80), repeat(1)
# Words that keep the first n bytes of another, for n from 0 to 8.
FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(WORD + 1)], np.uint64)


class ChunkText:
    """The lines of a chunk. All places are offsets of bytes in it.

    :param starts: where each line begins
    :param ends: where each line ends: before its newline, or a carriage return and that
    """

    def __init__(self, data: bytes) -> None:
        self.data = data if data.endswith(b"\n") or not data else data + b"\n"
        self._padded = np.frombuffer(self.data + bytes(PADDING), np.uint8)
        newlines = np.flatnonzero(self._padded[: len(self.data)] == NEWLINE)
        self.starts = np.empty_like(newlines)
        self.starts[:1] = 0
        self.starts[1:] = newlines[:-1] + 1
        self._newlines = newlines
        self._skip_before_lines()
        is_returned = (self._padded[newlines - 1] == CARRIAGE_RETURN) & (newlines > self.starts)
        self.ends: Places = newlines - is_returned

    def _skip_before_lines(self) -> None:
        """Let lines begin behind NULs and a byte order mark."""
        if self.data.isascii() and 0 not in self.data:  # in no time, beside the search for a mark
            return
        firsts = self._padded[self.starts]
        for row in np.flatnonzero((firsts == 0) | (firsts == BYTE_ORDER_MARK[0])).tolist():
            start, newline = int(self.starts[row]), int(self._newlines[row])
            if mark := BEFORE_LINE.match(self.data, start, newline):
                self.starts[row] = mark.end()

    def lines(self, rows: Places) -> list[bytes]:
        """Return some lines, with the carriage returns at their ends."""
        return self.slices(self.starts[rows], self._newlines[rows])

    @cached_property
    def plain_lines(self) -> Mask:
        """Which lines have ASCII alone, and no carriage return before their end."""
        is_plain = np.ones(len(self.starts), np.bool_)
        if not self.data.isascii():
            is_plain[np.searchsorted(self._newlines, np.flatnonzero(self._padded > LAST_ASCII))] = False
        if b"\r" in self.data:
            returns = np.flatnonzero(self._padded[: len(self.data)] == CARRIAGE_RETURN)
            inner = returns[self._padded[returns + 1] != NEWLINE]
            is_plain[np.searchsorted(self._newlines, inner)] = False
        return is_plain

    def lines_with(self, byte: int) -> Mask:
        """Return which lines hold a byte."""
        has_byte = np.zeros(len(self.starts), np.bool_)
        if byte in self.data:
            has_byte[np.searchsorted(self._newlines, self.places(byte, 0))] = True
        return has_byte

    def lines_with_controls(self) -> Mask:
        """Return which lines hold a control character, but for carriage returns."""
        is_control = self._padded[: len(self.data)] < SPACE
        has_control = np.zeros(len(self.starts), np.bool_)
        if np.count_nonzero(is_control) == len(self._newlines):  # which is counted much faster than searched
            return has_control
        places = np.flatnonzero(is_control)
        controls = self._padded[places]
        inner = places[(controls != NEWLINE) & (controls != CARRIAGE_RETURN)]
        has_control[np.searchsorted(self._newlines, inner)] = True
        return has_control

    @cached_property
    def quotes(self) -> Places:
        """All places of quotes, and some more at the end of the chunk."""
        return self.places(QUOTE, MORE_QUOTES)

    @cached_property
    def stamp_ends(self) -> Places:
        """The places of quotes behind a bracket and a space: where a request begins in most logs."""
        quotes = self.quotes[:-MORE_QUOTES]
        ends: Places = quotes[
            (self._padded[quotes - 1] == SPACE) & (self._padded[quotes - 2] == RIGHT_BRACKET)
        ]
        return ends

    def bytes_at(self, at: Places) -> npt.NDArray[np.uint8]:
        return self._padded[at]

    def slices(self, starts: Places, ends: Places) -> list[bytes]:
        return [self.data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def words(self, at: Places, offsets: Sequence[int] = (0,)) -> list[Words]:
        """Return the words at `at` and each of the offsets, which are ascending and at most 64."""
        if not len(at):
            return [np.zeros(0, np.uint64) for _ in offsets]
        width = offsets[-1] + WORD
        records = np.ndarray((len(self.data) + PADDING - width,), f"V{width}", self._padded, 0, (1,))
        taken = records[at]
        return [np.ndarray(taken.shape, "<u8", taken, offset, (width,)).copy() for offset in offsets]

    def holds(self, at: Places, text: bytes) -> Mask:
        """Return at which places these bytes, at most 64, stand."""
        offsets = range(0, len(text), WORD)
        is_equal = np.ones(len(at), np.bool_)
        for offset, words in zip(offsets, self.words(at, offsets) if text else (), strict=True):
            part = text[offset : offset + WORD]
            is_equal &= (words & FIRST_BYTES[len(part)]) == word(part)
        return is_equal

    def places(self, byte: int, more: int) -> Places:
        """Return all places of a byte, and so many more at the end of the chunk."""
        places = np.flatnonzero(self._padded[: len(self.data)] == byte)
        return np.append(places, np.full(more, len(self.data)))

    def find(self, byte: int, at: Places, limit: int) -> Places:
        """Return how far behind each place the first such byte stands, at most `limit` bytes of it read.

        -1 where there is none; it may stand in a later line.
        """
        distances = np.full(len(at), -1, np.int64)
        searched = np.arange(len(at))
        for offset in range(0, limit, WORD):
            [words] = self.words(np.minimum(at[searched] + offset, len(self.data)))
            words ^= repeat(byte)
            # The lowest of these bits is that of the first byte that is zero now.
            zeros = (words - ONES) & ~words & HIGH_BITS
            has = zeros != 0
            hits = np.flatnonzero(has)
            zeros = zeros[hits]
            before = np.bitwise_count((zeros & -zeros) - np.uint64(1)) >> 3
            distances[searched[hits]] = before.astype(np.int64) + offset
            searched = searched[~has]
            if not len(searched):
                break
        return distances
