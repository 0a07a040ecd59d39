"""Where the rows of a block stand among the groups of statistics that are shown."""

from collections.abc import Sequence

import numpy as np

from db.part_files import Array
from db.queries.column_reads import Span
from service.columns.blocks import Block, LiveBlock
from service.columns.distinct import GroupDetails
from service.columns.groups import Groups, TimeGroups

FEW = 0.75  # of a block's rows up to which it pays to go on with these alone


class Slots:
    """Finds the slots of rows: the places of their groups among those that are shown."""

    def __init__(self, groups: Sequence[Groups], shown: Sequence[tuple[int, ...]]) -> None:
        # Most rows are soon told apart by times: those of a group stand together.
        order = sorted(range(len(groups)), key=lambda place: not isinstance(groups[place], TimeGroups))
        self._groups = [groups[place] for place in order]
        shown = [tuple(each[place] for place in order) for each in shown]
        self._count = len(shown)
        self._tables: list[Array] = []
        codes = [sorted({each[place] for each in shown}) for place in range(len(groups))]
        self._slots = np.full([len(each) + 1 for each in codes], len(shown), np.int64)
        for group, values in zip(self._groups, codes, strict=True):
            # The last place stands for numbers that are given out later.
            table = np.full(group.size + 1, len(values), np.int32)
            table[values] = np.arange(len(values))
            self._tables.append(table)
        places = [{code: place for place, code in enumerate(values)} for values in codes]
        for slot, each in enumerate(shown):
            self._slots[tuple(place[code] for place, code in zip(places, each, strict=True))] = slot

    def spans(self, spans: Sequence[Span]) -> Sequence[Span]:
        """Return those of the parts that may have rows with a slot, as far as their times tell."""
        group = self._groups[0] if self._groups else None
        if not isinstance(group, TimeGroups):
            return spans
        is_shown = self._tables[0][:-1] < self._slots.shape[0] - 1
        return [span for span in spans if is_shown[group.between(span.first_at, span.last_at)].any()]

    def rows(self, block: Block) -> tuple[Array | None, Array, Array]:
        """Return the slots, addresses and times of all rows that have a slot, and perhaps of some others.

        Slots are None if there are no groups, and so one slot.
        """
        if not self._groups:
            return None, block.address, block.occurred
        places: list[Array] = []
        for group, table, size in zip(self._groups, self._tables, self._slots.shape, strict=True):
            place = places_of(group, block, table)
            places.append(place)
            if isinstance(block, LiveBlock):
                continue
            chosen = np.flatnonzero(place < size - 1)
            if len(chosen) < FEW * len(place):
                block, places = block.at(chosen), [each[chosen] for each in places]
        slots = self._slots[tuple(places)]
        return slots, block.address, block.occurred


def places_of(group: Groups, block: Block, table: Array) -> Array:
    """Return what a table has for the numbers of a block's rows; its last value for those beyond it."""
    if isinstance(group, TimeGroups):
        codes, lengths = group.runs(block.occurred)
        return np.repeat(table[codes], lengths)
    codes, size = group.codes(block), len(table) - 1
    return np.asarray(table[codes if group.size <= size else np.minimum(codes, size)])


def add_details(details: GroupDetails, slots: Slots, block: Block) -> None:
    details.add(*slots.rows(block))
