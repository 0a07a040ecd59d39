"""Where the rows of a block stand among the groups of statistics that are shown."""

from collections.abc import Sequence

import numpy as np

from db.part_files import Array
from service.columns.blocks import Block
from service.columns.distinct import GroupDetails
from service.columns.groups import Groups


class Slots:
    """Finds the slots of rows: the places of their groups among those that are shown."""

    def __init__(self, groups: Sequence[Groups], shown: Sequence[tuple[int, ...]]) -> None:
        self._groups = groups
        self._tables: list[Array] = []
        codes = [sorted({each[place] for each in shown}) for place in range(len(groups))]
        self._slots = np.full([len(each) + 1 for each in codes], len(shown), np.int64)
        for group, values in zip(groups, codes, strict=True):
            # The last place stands for numbers that are given out later.
            table = np.full(group.size + 1, len(values), np.int32)
            table[values] = np.arange(len(values))
            self._tables.append(table)
        places = [{code: place for place, code in enumerate(values)} for values in codes]
        for slot, each in enumerate(shown):
            self._slots[tuple(place[code] for place, code in zip(places, each, strict=True))] = slot
        if len(groups) == 1:
            self._tables[0] = self._slots[self._tables[0]]

    def of(self, block: Block) -> Array | None:
        """Return the slot of each row; None if there are no groups, and so one slot."""
        if not self._groups:
            return None
        places = [
            table[known_codes(group, block, len(table) - 1)]
            for group, table in zip(self._groups, self._tables, strict=True)
        ]
        if len(places) == 1:
            return places[0]
        slots: Array = self._slots[tuple(places)]
        return slots


def known_codes(group: Groups, block: Block, size: int) -> Array:
    """Return the numbers of a block's rows, with `size` for those that are larger."""
    codes = group.codes(block)
    return codes if group.size <= size else np.minimum(codes, size)


def add_details(details: GroupDetails, slots: Slots, block: Block) -> None:
    details.add(slots.of(block), block.address, block.occurred)
