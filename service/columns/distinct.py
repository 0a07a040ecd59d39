"""Visits, distinct addresses, first and last visit of a few groups."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.part_files import Array

MAX_FLAGS = 1 << 27  # a byte for each address of each group that is counted at a time
LATER_THAN_ALL = 2**62
NONE = -(2**62)
FIRST_ROWS = 512  # of a block that are looked at for groups' first times, then so many times as many
GROWTH = 4


@dataclass(frozen=True, slots=True)
class PackedDetails:
    """Details of the slots of one round: a bit for each address of each."""

    flags: Array
    addresses: int
    visits: Array
    first: Array
    last: Array

    @property
    def size(self) -> int:
        return self.flags.nbytes + 3 * self.visits.nbytes


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
        """Begin the round of the slots from this one on."""
        self._begin = slot
        self._flags = np.zeros((self._width + 1) * self._addresses, np.bool_)

    def pack(self) -> PackedDetails:
        """Return what was added in a round that has all slots, to be kept."""
        flags = self._flags.reshape(-1, self._addresses)[: self._slots]
        times = (self.visits.copy(), self.first.copy(), self.last.copy())
        return PackedDetails(np.packbits(flags, axis=1), self._addresses, *times)

    def restore(self, known: PackedDetails) -> None:
        """Begin the one round with what was added before, when there may have been fewer addresses."""
        flags = np.unpackbits(known.flags, axis=1, count=known.addresses)
        self._flags.reshape(-1, self._addresses)[: self._slots, : known.addresses] = flags
        self.visits, self.first, self.last = known.visits.copy(), known.first.copy(), known.last.copy()

    def add(self, slots: Array | None, address: Array, occurred: Array) -> None:
        """Count visits, visitors and times of the rows of a block, which are in order of time.

        :param slots: the group of each row; None if all are in slot 0
        """
        if not len(occurred):
            return
        if slots is None:
            self._flags[address.astype(np.intp)] = True  # numpy is twice as quick with what it needs
            self.visits[0] += len(occurred)
            self.first[0] = min(self.first[0], occurred[0])
            self.last[0] = max(self.last[0], occurred[-1])
            return
        if self._begin == 0:
            counts = np.bincount(slots, minlength=self._slots + 1)
            self.visits += counts[: self._slots]
            self._bound(slots, occurred, counts > 0)
        if self._slots > self._width:
            slots = slots - self._begin
            slots[(slots < 0) | (slots > self._width)] = self._width
        places = slots * self._addresses
        places += address
        self._flags[places] = True

    def _bound(self, slots: Array, occurred: Array, present: Array) -> None:
        """Note the first and last times of the slots that are present."""
        earlier = present & (self.first > occurred[0])
        if earlier[:-1].any():
            np.minimum(self.first, first_times(slots, occurred, earlier, LATER_THAN_ALL), out=self.first)
        later = present & (self.last < occurred[-1])
        if later[:-1].any():
            last = first_times(slots[::-1], occurred[::-1], later, NONE)
            np.maximum(self.last, last, out=self.last)

    def end(self) -> None:
        """Count the visitors of the slots of the round, which ends."""
        flags = self._flags.reshape(self._width + 1, self._addresses)[: self._width]
        flags[:, 0] = False  # no address
        counts = np.count_nonzero(flags, axis=1)
        some = min(self._width, self._slots - self._begin)
        self.visitors[self._begin : self._begin + some] = counts[:some]
        self._flags = np.zeros(0, np.bool_)

    def arrange(self, slots: Array) -> None:
        """Put slots into another order.

        :param slots: which one comes first, second and so on
        """
        self.visits, self.visitors = self.visits[slots], self.visitors[slots]
        self.first, self.last = self.first[slots], self.last[slots]


def first_times(slots: Array, occurred: Array, targets: Array, none: int) -> Array:
    """Return the times of the first rows of the target slots; perhaps of others, too, or else `none`.

    :param targets: those of the slots to look for, all of which have rows; the last one is not
    """
    times, targets = np.full(len(targets), none), targets.copy()
    targets[-1] = False
    begin, end = 0, FIRST_ROWS
    while targets.any():
        some = slots[begin:end]
        rows = np.flatnonzero(targets.take(some))[::-1] + begin
        # Where an index stands several times, the last value is what remains.
        hits = slots.take(rows)
        times[hits] = occurred.take(rows)
        targets[hits] = False
        begin, end = end, end * GROWTH
    return times
