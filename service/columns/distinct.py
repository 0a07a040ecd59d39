"""Visits, distinct addresses, first and last visit of a few groups."""

from collections.abc import Sequence

import numpy as np

from db.part_files import Array

MAX_FLAGS = 1 << 27  # a byte for each address of each group that is counted at a time
LATER_THAN_ALL = 2**62
NONE = -(2**62)
FIRST_ROWS = 4096  # of a block, which nearly all groups are among


class GroupDetails:
    """What is shown of groups: a slot each. Rows of no slot are in the slot behind the last.

    Distinct addresses are counted by a flag for each address of each group. Where those would take too much,
    some slots have their flags at a time, and all blocks are added again for the next ones.
    """

    def __init__(self, slots: int, addresses: int) -> None:
        """Prepare to count.

        :param addresses: more than all ids of addresses
        """
        self._slots, self._addresses = slots, max(1, addresses)
        self._width = max(1, min(slots, MAX_FLAGS // self._addresses - 1))
        self._begin = 0
        self._flags = np.zeros(0, np.bool_)
        self.visits = np.zeros(slots, np.int64)
        self.visitors = np.zeros(slots, np.int64)
        self.first = np.full(slots + 1, LATER_THAN_ALL)
        self.last = np.full(slots + 1, NONE)

    def rounds(self) -> Sequence[int]:
        """Return the first slots of the rounds in which all blocks are added."""
        return range(0, self._slots, self._width)

    def begin(self, slot: int) -> None:
        """Begin a round."""
        self._begin = slot
        self._flags = np.zeros((self._width + 1) * self._addresses, np.bool_)

    def add(self, slots: Array | None, address: Array, occurred: Array) -> None:
        """Add the rows of a block, in order of time.

        :param slots: of each row; None if all are in slot 0
        """
        if not len(occurred):
            return
        if slots is None:
            self._flags[address] = True
            self.visits[0] += len(occurred)
            self.first[0] = min(self.first[0], occurred[0])
            self.last[0] = max(self.last[0], occurred[-1])
            return
        if self._begin == 0:
            counts = np.bincount(slots, minlength=self._slots + 1)
            self.visits += counts[: self._slots]
            first = first_times(slots, occurred, counts)
            np.minimum(self.first, np.where(first == NONE, LATER_THAN_ALL, first), out=self.first)
            np.maximum(self.last, first_times(slots[::-1], occurred[::-1], counts), out=self.last)
        if self._slots > self._width:
            slots = slots - self._begin
            slots = np.where((slots < 0) | (slots > self._width), self._width, slots)
        self._flags[slots * self._addresses + address] = True

    def end(self) -> None:
        """End a round."""
        flags = self._flags.reshape(self._width + 1, self._addresses)[: self._width]
        flags[:, 0] = False  # no address
        counts = np.count_nonzero(flags, axis=1)
        some = min(self._width, self._slots - self._begin)
        self.visitors[self._begin : self._begin + some] = counts[:some]
        self._flags = np.zeros(0, np.bool_)


def first_times(slots: Array, occurred: Array, counts: Array) -> Array:
    """Return the time of the first row of each slot; NONE for those without any.

    :param counts: the rows of each slot
    """
    times = np.full(len(counts), NONE)
    # Where an index stands several times, the last value is what remains.
    times[slots[:FIRST_ROWS][::-1]] = occurred[:FIRST_ROWS][::-1]
    missing = (counts > 0) & (times == NONE)
    if missing.any():
        rows = np.flatnonzero(missing[slots])[::-1]
        times[slots[rows]] = occurred[rows]
    return times
