"""The template pages of blocks: few of them are ever looked at in full."""

from dataclasses import dataclass

import numpy as np

from db.part_files import Array, PartColumns
from service.columns.blocks import Block, PartBlock
from service.columns.matching import Rows
from service.columns.template_groups import NUMBERS, Columns


@dataclass(frozen=True, slots=True)
class TemplateTable:
    """The template pages of a block.

    :param mixes: of each
    :param numbers: where the first of them stand among the numbers of the part
    :param host: of these
    :param places: where the others stand in the block
    :param others: what the others are made of: the columns of KEYS without `other`
    """

    block: Block
    mixes: Array
    numbers: Array
    host: int
    places: Array
    others: Columns

    def places_at(self, rows: Array) -> Array:
        """Return where some of the pages, in order, stand in the block."""
        mine = self.numbers[rows[: np.searchsorted(rows, len(self.numbers))]]
        others = self.places[rows[len(mine) :] - len(self.numbers)]
        if not isinstance(self.block, PartBlock):
            return np.asarray(others)
        places = places_in(self.block.rows, self.block.part.number_rows[mine])
        return np.concatenate([places, others]) if len(others) else places

    def columns_at(self, rows: Array) -> dict[str, Array]:
        """Return what some of the pages, in order, are made of."""
        mine = self.numbers[rows[: np.searchsorted(rows, len(self.numbers))]]
        others = rows[len(mine) :] - len(self.numbers)
        columns = {name: column[others] for name, column in self.others.items()}
        if isinstance(self.block, PartBlock):
            own = columns_of(self.block.part, mine, self.host)
            columns = {name: np.concatenate([own[name], column]) for name, column in columns.items()}
        return columns


def columns_of(part: PartColumns, numbers: Array, host: int) -> dict[str, Array]:
    return {
        "kind": part.kind[part.number_rows[numbers]],
        **{name: getattr(part, name)[numbers] for name in NUMBERS},
        "host": np.full(len(numbers), host),
    }


def places_in(rows: Rows, part_rows: Array) -> Array:
    """Return where rows of a part, all of which are among `rows`, stand there."""
    return part_rows - rows.start if isinstance(rows, slice) else np.searchsorted(rows, part_rows)
