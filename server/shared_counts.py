"""Counts by key that all workers share, in memory that they inherit when they are forked."""

import hashlib
import mmap
import secrets

BUCKETS = 2**16  # keys that fall into one are counted together, which 64 of one address seldom meet
CELL_BYTES = 4
KEY_BYTES = 16


class SharedCounts:
    """A table of counts with a row for each worker, who alone writes it. All read all rows, without locks."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.cells = memoryview(mmap.mmap(-1, workers * BUCKETS * CELL_BYTES)).cast("I")
        # Nobody outside can tell which keys are counted together.
        self._secret = secrets.token_bytes(KEY_BYTES)

    def row(self, number: int) -> "CountsRow":
        """Return the row of a worker, from 1. It is empty, whatever the worker before left in it."""
        return CountsRow(self, number)

    def bucket(self, key: str) -> int:
        digest = hashlib.blake2b(key.encode(), key=self._secret, digest_size=2).digest()
        return int.from_bytes(digest)


class CountsRow:
    """The counts of one worker among those of all."""

    def __init__(self, table: SharedCounts, number: int) -> None:
        self.workers = table.workers
        self._table = table
        self._start = (number - 1) * BUCKETS
        self._counts: dict[int, int] = {}  # of this worker, by bucket, without zeros
        table.cells[self._start : self._start + BUCKETS] = memoryview(bytes(BUCKETS * CELL_BYTES)).cast("I")

    def add(self, key: str, number: int) -> int:
        """Add to this worker's count of a key; return the sum of all workers."""
        bucket = self._table.bucket(key)
        count = self._counts.get(bucket, 0) + number
        if count:
            self._counts[bucket] = count
        else:
            del self._counts[bucket]
        # Written before the others are read: of two workers at the bound, both see that it is reached.
        self._table.cells[self._start + bucket] = count
        return sum(self._table.cells[bucket::BUCKETS])

    def largest(self) -> int:
        """Return the largest count of this worker."""
        return max(self._counts.values(), default=0)
