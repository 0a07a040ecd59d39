"""Makes the request keys of lines that have none: a digest, moved on for each equal line before.

Equal lines have one time. So what was read before is kept in runs, a sorted array of digests for each span of
time, and lines are compared with those runs alone that overlap them: the last one, in a log that is in order.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from service.logs.chunk_text import Words
from service.logs.chunks import Chunk, without_marks
from service.logs.line_columns import MAX_KEY, ORDINAL_STEP, Int64s

DIGEST_BYTES = 32
EVER = (-(2**63), 2**63 - 1)


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How many digests are kept: `lines` of a run at least, `total` of all, 8 bytes each."""

    lines: int = 65_536
    total: int = 8 * 1024 * 1024


RUN_LIMITS = RunLimits()


@dataclass(frozen=True, slots=True)
class Run:
    """Lines between two times: their digests, sorted."""

    first: int
    last: int
    digests: Words

    def has_some(self, ordered: Words) -> bool:
        """Return whether a line has one of these digests, which are sorted."""
        places = np.minimum(np.searchsorted(self.digests, ordered), len(self.digests) - 1)
        return bool((self.digests[places] == ordered).any()) if len(self.digests) else False

    def count(self, digests: Words) -> Words:
        """Return how many lines have each of these digests."""
        begins, ends = (np.searchsorted(self.digests, digests, side) for side in ("left", "right"))
        return (ends - begins).astype(np.uint64)


class DigestKeys:
    """Makes the keys of a log's lines, chunk by chunk."""

    def __init__(self, limits: RunLimits = RUN_LIMITS) -> None:
        self._limits = limits
        self._runs: list[Run] = []

    def keys(self, chunk: Chunk, lines: list[bytes], occurred: Int64s) -> Int64s:
        """Return the key of each line.

        :param lines: all good lines of the chunk, in order and without carriage returns
        :param occurred: the times of these lines
        """
        if chunk.offset == 0 or chunk.before:
            self._runs = [run_before(chunk)] if chunk.before else []
        if not lines:
            return np.zeros(0, np.int64)
        digests = line_digests(lines)
        ordered = np.sort(digests)
        ordinals = ordinals_of(digests, ordered)
        first, last = int(occurred.min()), int(occurred.max())
        for run in self._runs:
            if run.first <= last and first <= run.last and run.has_some(ordered):
                ordinals += run.count(digests)
        self._add(Run(first, last, ordered))
        moved = (digests + ordinals * np.uint64(ORDINAL_STEP)) & np.uint64(MAX_KEY)
        keys: Int64s = moved.view(np.int64)
        return keys

    def _add(self, run: Run) -> None:
        """Keep a run; the oldest ones are forgotten when there are too many."""
        if self._runs and len(self._runs[-1].digests) < self._limits.lines:
            last = self._runs.pop()
            digests = np.sort(np.concatenate([last.digests, run.digests]))
            run = Run(min(last.first, run.first), max(last.last, run.last), digests)
        self._runs.append(run)
        total = sum(len(run.digests) for run in self._runs)
        while total > self._limits.total and len(self._runs) > 1:
            total -= len(self._runs.pop(0).digests)


def run_before(chunk: Chunk) -> Run:
    """Return the run of the lines before a chunk, from which reading resumes; their times are not read."""
    lines = [without_marks(line).removesuffix(b"\r") for line in chunk.before.split(b"\n")[:-1]]
    return Run(*EVER, np.sort(line_digests(lines)))


def line_digests(lines: list[bytes]) -> Words:
    """Return the first 8 bytes of each line's digest."""
    joined = b"".join([sha256(line).digest() for line in lines])
    return np.frombuffer(joined, ">u8")[:: DIGEST_BYTES // 8].astype(np.uint64)


def ordinals_of(digests: Words, ordered: Words) -> Words:
    """Return for each line how many equal ones stand before it; `ordered` are the digests, sorted."""
    ordinals = np.zeros(len(digests), np.uint64)
    if not (ordered[1:] == ordered[:-1]).any():
        return ordinals
    order = np.argsort(digests, kind="stable")
    begins = np.searchsorted(ordered, ordered)  # of the lines that are equal
    ordinals[order] = np.arange(len(digests)) - begins
    return ordinals
