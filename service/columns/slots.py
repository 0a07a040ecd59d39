"""Where the rows of a block stand among the groups of statistics that are shown."""

from collections.abc import Sequence

import numpy as np

from db.part_files import Array
from db.queries.column_reads import Span
from service.columns.blocks import Block, PartBlock
from service.columns.distinct import GroupDetails
from service.columns.groups import Groups, TimeGroups, UserGroups
from service.columns.table_groups import TableGroups

HALF = 1 << 16
FEW = 0.75  # of a block's rows up to which it pays to go on with these alone


class Places:
    """The place of each number of a group among those that are shown; the last place is that of all others.

    :param step: by which the places of two neighbours differ
    """

    def __init__(self, group: Groups, codes: Sequence[int], step: int, dtype: type) -> None:
        self.group, self.last = group, len(codes) * step
        # The last number stands for those that are given out later.
        self.table: Array = np.full(group.size + 1, self.last, dtype)
        self.table[list(codes)] = np.arange(len(codes)) * step
        self._by_id: tuple[Array, Array] | None = None  # the table of a group, and the place of each id

    def of(self, block: Block) -> Array:
        """Return the places of a block's rows."""
        group = self.group
        if isinstance(group, TimeGroups):
            codes, lengths = group.runs(block.occurred)
            return np.repeat(self.table.take(codes), lengths)
        if isinstance(group, UserGroups):
            rows, users = group.rows(block)
            places = np.full(len(block), self.table[0])
            places[rows.astype(np.intp)] = self._of_codes(users)
            return places
        if isinstance(group, TableGroups) and isinstance(block, PartBlock):
            if self._by_id is None or self._by_id[0] is not group.table:
                self._by_id = group.table, self._of_codes(group.table)
            return self._by_id[1].take(group.ids(block))
        return self._of_codes(group.codes(block))

    def _of_codes(self, codes: Array) -> Array:
        return self.table.take(codes, mode="clip")


class Slots:
    """Finds the slots of rows: the places of their groups among those that are shown."""

    def __init__(self, groups: Sequence[Groups], shown: Sequence[tuple[int, ...]]) -> None:
        # Most rows are soon told apart by times: those of a group stand together.
        order = sorted(range(len(groups)), key=lambda place: not isinstance(groups[place], TimeGroups))
        groups = [groups[place] for place in order]
        shown = [tuple(each[place] for place in order) for each in shown]
        codes = [sorted({each[place] for each in shown}) for place in range(len(groups))]
        steps = [*(len(each) + 1 for each in codes[1:]), 1]
        sizes = [len(each) + 1 for each in codes]
        dtype = np.uint16 if np.prod(sizes, dtype=object) < HALF else np.int32
        self._places = [
            Places(group, values, step, dtype)
            for group, values, step in zip(groups, codes, steps, strict=False)
        ]
        self._slots = np.full(sizes, len(shown), np.int64)
        places = [{code: place for place, code in enumerate(values)} for values in codes]
        for slot, each in enumerate(shown):
            self._slots[tuple(place[code] for place, code in zip(places, each, strict=True))] = slot
        self._slots = self._slots.reshape(-1)

    def spans(self, spans: Sequence[Span]) -> Sequence[Span]:
        """Return those of the parts that may have rows with a slot, as far as their times tell."""
        first = self._places[0] if self._places else None
        if first is None or not isinstance(first.group, TimeGroups):
            return spans
        is_shown = first.table[:-1] < first.last
        return [span for span in spans if is_shown[first.group.between(span.first_at, span.last_at)].any()]

    def rows(self, block: Block) -> tuple[Array | None, Array, Array]:
        """Return the slots, addresses and times of all rows that have a slot, and perhaps of some others.

        Slots are None if there are no groups, and so one slot.
        """
        if not self._places:
            return None, block.address, block.occurred
        keys = np.zeros(1, np.int8)
        for each in self._places:
            places = each.of(block)
            if isinstance(block, PartBlock):
                is_shown = places < each.last
                if np.count_nonzero(is_shown) < FEW * len(places):
                    chosen = np.flatnonzero(is_shown)
                    block, places = block.at(chosen), places.take(chosen)
                    keys = keys.take(chosen) if len(keys) > 1 else keys
            keys = keys + places
        return self._slots.take(keys), block.address, block.occurred


def add_details(details: GroupDetails, slots: Slots, block: Block) -> None:
    details.add(*slots.rows(block))
