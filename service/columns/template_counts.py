"""Counts of template pages: mostly visited once each, so they get no numbers, and only few of them are shown.

Each is mixed into a number, once a part. Equal pages have equal numbers, so no page has more visits than all
whose numbers begin alike: mostly these are fewer than what is shown has, and nothing is left to do. Else a
number that stands once is a page visited once. The others, if they may be shown, are then compared in full,
and their groups are exact.
"""

from collections.abc import Sequence

import numpy as np

from db.part_files import Array, values_at
from db.unique import distinct_sorted
from service.columns.blocks import Block, LiveBlock, PartBlock
from service.columns.groups import places_of
from service.columns.matching import count_rows
from service.columns.names import PageTable
from service.columns.template_groups import NUMBERS, Columns, Firsts, TemplateGroup, columns_of_values
from service.columns.template_mixes import (
    BUCKETS,
    Mixes,
    count_in_buckets,
    hash_hosts,
    mix_pages,
    short_mix,
)
from service.columns.template_tables import TemplateTable


class TemplateCounts:
    """Counts the template pages of blocks, perhaps by another group too."""

    def __init__(self, pages: PageTable) -> None:
        self._pages = pages.templates  # of one moment
        self._part_mixes, self._page_mixes = pages.mixes, pages.mixes.of_pages(pages.templates)
        self._hosts = {host: place for place, host in enumerate(self._pages.hosts)}
        self._mixes: list[Array] = []
        self._sought = Mixes(np.empty(0, np.uint32))
        self._live: TemplateTable | None = None  # there is one block of live visits
        self.buckets = np.zeros(BUCKETS, np.int64)
        self.singles = 0

    @property
    def hosts(self) -> list[str]:
        """What the numbers of hosts stand for."""
        return list(self._hosts)

    @property
    def most(self) -> int:
        """No page of the blocks that `bound` was told of has more visits; perhaps all have fewer."""
        return int(self.buckets.max())

    @property
    def has_repeated(self) -> bool:
        return len(self._sought) > 0

    def add(self, block: Block, other_codes: Array | None) -> None:
        """Take note of a block's template pages."""
        self._mixes.append(mixes_of(self.table(block), other_codes))

    def bound(self, block: Block) -> None:
        """Raise `most` by a block: by at least the visits of any page in it."""
        if isinstance(block, PartBlock):
            part = block.part
            _, mixes = self._part_mixes.of_part(block.span.token, part, block.span.host)
            rows, pages = self._pages.rows(part, part.page)
            if len(rows):
                mixes = np.concatenate([mixes, self._page_mixes.take(pages)])
        else:
            mixes = self.table(block).mixes
        self.buckets += count_in_buckets(mixes)

    def look_for(self, groups: Sequence[TemplateGroup], *, has_other: bool) -> None:
        """Count these groups alone, instead of those that blocks have more than once."""
        kinds = np.array([group.template.kind for group in groups])
        numbers = {
            name: np.array([getattr(group.template, name) for group in groups], np.int64) for name in NUMBERS
        }
        hosts = np.array([self.host(group.template.host) for group in groups])
        mixes = mix_pages(kinds, numbers, hash_hosts(self.hosts, hosts))
        if has_other:
            mixes = short_mix(mixes, np.array([group.other for group in groups], np.int64))
        self._sought = Mixes(distinct_sorted(np.sort(mixes)))

    def finish(self, least: int) -> None:
        """Find the mixes that stand more than once.

        :param least: pages with less visits are not looked for; only up to 2 are the others singles
        """
        if not self._mixes:
            return
        mixes = np.concatenate(self._mixes)
        self._mixes = []
        mixes.sort()
        same = mixes[1:] == mixes[:-1]
        repeated = mixes[1:][same]
        further = max(2, least) - 2  # by so many is the last of them behind the first of `repeated`
        many = repeated[further:]
        self._sought = Mixes(distinct_sorted(many[many == repeated[: len(many)]]))
        self.singles = len(mixes) - len(repeated) - len(distinct_sorted(repeated))

    def table(self, block: Block) -> TemplateTable:
        if isinstance(block, PartBlock):
            return self.table_of_part(block)
        if self._live is None:
            self._live = self.table_of_live(block)
        return self._live

    def table_of_live(self, block: LiveBlock) -> TemplateTable:
        places = np.array(list(block.templates), np.int64)
        templates = list(block.templates.values())
        values = [(self.host(host), *numbers) for host, *numbers in templates]
        others = columns_of_values(np.array(values, np.int64).reshape(-1, 6))
        mixes = mix_pages(others["kind"], others, hash_hosts(self.hosts, others["host"]))
        return TemplateTable(block, mixes, np.empty(0, np.int64), 0, places, others)

    def table_of_part(self, block: PartBlock) -> TemplateTable:
        """Return the pages of a block of lines, those of its rows alone."""
        part, rows = block.part, block.rows
        numbers, mixes = self._part_mixes.of_part(block.span.token, part, block.span.host)
        if not isinstance(rows, slice) or count_rows(rows) < len(part):
            _, inside = places_of(part.number_rows[numbers], rows)
            numbers, mixes = numbers.take(inside), mixes.take(inside)
        places, pages = self._pages.rows(part, values_at(part.page, rows))
        others = columns_of_values(self._pages.values[pages])
        if len(places):
            mixes = np.concatenate([mixes, self._page_mixes[pages]])
        return TemplateTable(block, mixes, numbers, self.host(block.span.host), places, others)

    def host(self, host: str) -> int:
        return self._hosts.setdefault(host, len(self._hosts))

    def repeated_rows(self, block: Block, other_codes: Array | None) -> Columns:
        """Return the rows of pages that may have been visited more than once, for TemplateGroups."""
        table = self.table(block)
        rows = np.flatnonzero(self._sought.has(mixes_of(table, other_codes)))
        return rows_of(table, rows, table.columns_at(rows), other_codes)

    def single_others(self, block: Block, other_codes: Array | None) -> Array:
        """Return the other group of each page visited once."""
        assert other_codes is not None
        table = self.table(block)
        rows = np.flatnonzero(~self._sought.has(mixes_of(table, other_codes)))
        return np.asarray(other_codes[table.places_at(rows)])

    def single_rows(self, block: Block, other_codes: Array | None, firsts: Firsts) -> Columns:
        """Return rows of pages visited once, for TemplateGroups: all that may be among the first."""
        table = self.table(block)
        rows = np.flatnonzero(~self._sought.has(mixes_of(table, other_codes)))
        columns = table.columns_at(rows)
        if other_codes is not None:
            columns["other"] = other_codes[table.places_at(rows)]
        first = np.flatnonzero(firsts.among(columns, np.ones(len(rows), np.bool_)))
        columns = {name: column[first] for name, column in columns.items()}
        return rows_of(table, rows[first], columns, other_codes)


def mixes_of(table: TemplateTable, other_codes: Array | None) -> Array:
    """Return the mixes of pages, together with the other group if there is one."""
    if other_codes is None:
        return table.mixes
    return short_mix(table.mixes, other_codes[table.places_at(np.arange(len(table.mixes)))])


def rows_of(table: TemplateTable, rows: Array, columns: Columns, other_codes: Array | None) -> Columns:
    """Return rows for TemplateGroups: what the pages are made of, and what else is counted."""
    places, block = table.places_at(rows), table.block
    return {
        **columns,
        "other": np.zeros(len(rows), np.int64) if other_codes is None else other_codes[places],
        "address": block.address[places],
        "occurred": block.occurred[places],
    }
