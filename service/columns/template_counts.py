"""Counts of template pages: mostly visited once each, so they get no numbers, and only few of them are shown.

First each is mixed into a number. Equal pages have equal numbers, so a number that stands once is a page
visited once. The others, if they may be shown, are then compared in full, and their groups are exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.part_files import Array
from service.columns.blocks import Block, LiveBlock, PartBlock
from service.columns.groups import places_of
from service.columns.template_groups import NUMBERS, Columns, Firsts, TemplateGroup
from service.columns.templates import PageTemplates, mix

HALF = np.uint64(32)
BYTE = 8
MARKS = np.uint32(2**20 - 1)  # the bits of a mix by which most that stand once are told at once


@dataclass(frozen=True, slots=True)
class TemplateTable:
    """Template pages of a block: places in the block, and the columns of KEYS."""

    places: Array
    columns: Columns

    def mixes(self) -> Array:
        return short_mix(self.columns)


def short_mix(columns: Columns) -> Array:
    """Mix pages into 32 bits: a few that differ are mixed alike, but numbers are sorted in half the time."""
    pages = columns["kind"].astype(np.int64) + (columns["host"] << BYTE)
    mixes = mix(pages, *(columns[name] for name in (*NUMBERS, "other")))
    return np.asarray((mixes >> HALF).astype(np.uint32))


class TemplateCounts:
    """Counts the template pages of blocks, perhaps by another group too.

    :param pages: those that have rows of their own
    """

    def __init__(self, pages: PageTemplates) -> None:
        self._pages = pages
        self._hosts = {host: place for place, host in enumerate(pages.hosts)}
        self._mixes: list[Array] = []
        self._sought = Mixes(np.empty(0, np.uint32))
        self.singles = 0

    @property
    def hosts(self) -> list[str]:
        """What the numbers of hosts stand for."""
        return list(self._hosts)

    @property
    def has_repeated(self) -> bool:
        return len(self._sought) > 0

    def add(self, block: Block, other_codes: Array | None) -> None:
        """Take note of a block's template pages."""
        self._mixes.append(self.table(block, other_codes).mixes())

    def look_for(self, groups: Sequence[TemplateGroup]) -> None:
        """Take these groups for those that stand more than once, with no look at any block."""
        columns = {
            "kind": [group.template.kind for group in groups],
            **{name: [getattr(group.template, name) for group in groups] for name in NUMBERS},
            "host": [self.host(group.template.host) for group in groups],
            "other": [group.other for group in groups],
        }
        arrays = {name: np.array(column, np.int64) for name, column in columns.items()}
        self._sought = Mixes(np.unique(short_mix(arrays)))

    def finish(self, least: int) -> None:
        """Find the mixes that stand more than once.

        :param least: pages with less visits are not looked for; only with 1 are the others singles
        """
        if not self._mixes:
            return
        mixes = np.concatenate(self._mixes)
        self._mixes = []
        mixes.sort()
        begins = np.flatnonzero(np.append(True, mixes[1:] != mixes[:-1])) if len(mixes) else mixes
        counts = np.diff(begins, append=len(mixes))
        self._sought = Mixes(mixes[begins[counts >= max(2, least)]])
        self.singles = int(np.count_nonzero(counts == 1))

    def table(self, block: Block, other_codes: Array | None) -> TemplateTable:
        if isinstance(block, LiveBlock):
            places = np.array(list(block.templates), np.int64)
            templates = list(block.templates.values())
            columns = {
                "kind": np.array([each.kind for each in templates], np.int64),
                **{name: np.array([getattr(each, name) for each in templates], np.int64) for name in NUMBERS},
                "host": np.array([self.host(each.host) for each in templates], np.int64),
            }
        else:
            places, columns = self.part_columns(block)
        columns["other"] = np.zeros(len(places), np.int64) if other_codes is None else other_codes[places]
        return TemplateTable(places, columns)

    def part_columns(self, block: PartBlock) -> tuple[Array, dict[str, Array]]:
        """Return the places of a part's template pages, and what their URLs are made of."""
        part = block.part
        numbers = np.flatnonzero(part.page[part.number_rows] == 0)
        places, inside = places_of(part.number_rows[numbers], block.rows)
        numbers = numbers[inside]
        columns = {
            "kind": part.kind[part.number_rows[numbers]],
            **{name: getattr(part, name)[numbers] for name in NUMBERS},
            "host": np.full(len(numbers), self.host(block.span.host)),
        }
        others, values = self._pages.rows(part, part.page[block.rows])
        if len(others):
            places = np.concatenate([places, others])
            for name, column in zip(("host", "kind", *NUMBERS), values.T, strict=True):
                columns[name] = np.concatenate([columns[name], column])
        return places, columns

    def host(self, host: str) -> int:
        return self._hosts.setdefault(host, len(self._hosts))

    def repeated_rows(self, block: Block, other_codes: Array | None) -> Columns:
        """Return the rows of pages that may have been visited more than once, for TemplateGroups."""
        table = self.table(block, other_codes)
        return self._rows(block, table, self._sought.has(table.mixes()))

    def single_others(self, block: Block, other_codes: Array | None) -> Array:
        """Return the other group of each page visited once."""
        table = self.table(block, other_codes)
        return table.columns["other"][~self._sought.has(table.mixes())]

    def single_rows(self, block: Block, other_codes: Array | None, firsts: Firsts) -> Columns:
        """Return rows of pages visited once, for TemplateGroups: all that may be among the first."""
        table = self.table(block, other_codes)
        chosen = ~self._sought.has(table.mixes())
        return self._rows(block, table, firsts.among(table.columns, chosen))

    def _rows(self, block: Block, table: TemplateTable, chosen: Array) -> Columns:
        rows = np.flatnonzero(chosen)
        places = table.places[rows]
        columns = {name: column[rows] for name, column in table.columns.items()}
        return columns | {"address": block.address[places], "occurred": block.occurred[places]}


class Mixes:
    """Some mixes, for looking them up."""

    def __init__(self, mixes: Array) -> None:
        """Make a set.

        :param mixes: in order, each once
        """
        self._mixes = mixes
        self._marks = np.zeros(int(MARKS) + 1, np.bool_)
        self._marks[mixes & MARKS] = True

    def __len__(self) -> int:
        return len(self._mixes)

    def has(self, mixes: Array) -> Array:
        """Return which of some mixes are in the set."""
        if not len(self._mixes):
            return np.zeros(len(mixes), np.bool_)
        result: Array = self._marks[mixes & MARKS]  # of those that are not, few pass
        places = np.flatnonzero(result)
        slots = np.searchsorted(self._mixes, mixes[places])
        slots[slots == len(self._mixes)] = 0
        result[places] = self._mixes[slots] == mixes[places]
        return result
