"""The bytes of a chunk, for numpy: where lines are, and 8 bytes at any place as a word.

A word is the little-endian number of 8 bytes: its lowest byte is the first. Arithmetic on an array of words
treats the same 8 bytes of many lines at once.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

WORD = 8
PADDING = 128  # bytes after the chunk, so that words may be read at its end
NEWLINE, CARRIAGE_RETURN = b"\n\r"
LAST_ASCII = 0x7F


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
        self.ends: Places = newlines - (self._padded[newlines - 1] == CARRIAGE_RETURN)
        self._newlines = newlines

    def lines(self, rows: Places) -> list[bytes]:
        """Return some lines, with the carriage returns at their ends."""
        return self.slices(self.starts[rows], self._newlines[rows])

    def ascii_lines(self) -> Mask:
        """Return which lines have ASCII alone."""
        is_ascii = np.ones(len(self.starts), np.bool_)
        if not self.data.isascii():
            is_ascii[np.searchsorted(self._newlines, np.flatnonzero(self._padded > LAST_ASCII))] = False
        return is_ascii

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
        for offset, found in zip(offsets, self.words(at, offsets) if text else (), strict=True):
            part = text[offset : offset + WORD]
            is_equal &= (found & FIRST_BYTES[len(part)]) == word(part)
        return is_equal

    def places(self, byte: int, more: int) -> Places:
        """Return all places of a byte, and so many more at the end of the chunk."""
        found = np.flatnonzero(self._padded[: len(self.data)] == byte)
        return np.append(found, np.full(more, len(self.data)))

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
