"""Makes the request keys of the lines of a chunk at once, as combined_format.LineKeys does one by one."""

from hashlib import sha256

import numpy as np

from service.logs.chunk_text import Places, Words
from service.logs.chunks import TAIL_BYTES, Chunk
from service.logs.line_columns import MAX_KEY, ORDINAL_STEP, Int64s

DIGEST_BYTES = 32


class DigestKeys:
    """Makes keys of the digests of lines. Keeps digests of the end of one chunk for the next."""

    def __init__(self) -> None:
        self._end = -1  # the offset of the byte after the last chunk
        self._digests = np.zeros(0, np.uint64)
        self._offsets = np.zeros(0, np.int64)

    def keys(self, chunk: Chunk, lines: list[bytes], offsets: Places) -> Int64s:
        """Return the key of each line: its digest, moved on for each equal one in the TAIL_BYTES before.

        :param lines: all good lines of the chunk, in order and without carriage returns
        :param offsets: of these lines in the log
        """
        if chunk.offset != self._end:
            self._read_before(chunk)
        count = len(self._offsets)
        digests = np.concatenate([self._digests, line_digests(lines)])
        all_offsets = np.concatenate([self._offsets, offsets])
        ordinals = ordinals_of(digests, all_offsets)[count:]
        moved = (digests[count:] + ordinals * np.uint64(ORDINAL_STEP)) & np.uint64(MAX_KEY)
        keys: Int64s = moved.view(np.int64)
        self._end = chunk.offset + len(chunk.data)
        begin = np.searchsorted(all_offsets, self._end - TAIL_BYTES)
        self._digests, self._offsets = digests[begin:], all_offsets[begin:]
        return keys

    def _read_before(self, chunk: Chunk) -> None:
        """Read the lines before a chunk that does not follow the last one."""
        lines = chunk.before.split(b"\n")[:-1]
        lengths = np.array([len(line) + 1 for line in lines], np.int64)
        self._offsets = chunk.offset - len(chunk.before) + np.cumsum(lengths) - lengths
        self._digests = line_digests([line.removesuffix(b"\r") for line in lines])


def line_digests(lines: list[bytes]) -> Words:
    """Return the first 8 bytes of each line's digest."""
    joined = b"".join([sha256(line).digest() for line in lines])
    return np.frombuffer(joined, ">u8")[:: DIGEST_BYTES // 8].astype(np.uint64)


def ordinals_of(digests: Words, offsets: Places) -> Words:
    """Return for each line how many equal ones begin in the TAIL_BYTES before it; offsets are ascending."""
    ordinals = np.zeros(len(digests), np.uint64)
    ordered = np.sort(digests)
    if not (ordered[1:] == ordered[:-1]).any():
        return ordinals
    order = np.argsort(digests, kind="stable")
    ordered = digests[order]
    group = np.cumsum(np.append(False, ordered[1:] != ordered[:-1]))
    # Groups lie so far apart that nothing of one is near another.
    begin = int(offsets[0])
    places = group * (int(offsets[-1]) - begin + 2 * TAIL_BYTES) + (offsets[order] - begin)
    ordinals[order] = np.arange(len(places)) - np.searchsorted(places, places - TAIL_BYTES)
    return ordinals
