"""Counts of template pages: mostly visited once each, so they get no numbers, and only few of them are shown.

First each is mixed into a number. Equal pages have equal numbers, so a number that stands once is a page
visited once. The others are then compared in full, and their groups are exact.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from db.part_files import Array
from service.columns.blocks import Block, LiveBlock, PartBlock
from service.columns.groups import Groups, places_of
from service.columns.templates import CART, PAY, SUCCESS, PageTemplates, Template, mix

MARKS = np.uint64(2**20 - 1)  # the bits of a mix by which most that stand once are told at once
NUMBERS = ("cart_id", "goods_id", "amount", "user_id")
# The number that stands first in the URL of each kind, in the order of the URLs.
FIRST_NUMBERS = ((CART, "goods_id"), (PAY, "user_id"), (SUCCESS, "cart_id"))
FEW_HOSTS = 4  # of a block, that are gone through one by one


@dataclass(frozen=True, slots=True)
class TemplateGroup:
    """The visits of one template page, and of one value of the other group if there is one."""

    template: Template
    other: int
    visits: int
    visitors: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class TemplateTable:
    """Template pages of a block: places in the block, what URLs are made of, and the other group."""

    places: Array
    columns: dict[str, Array]

    def mixes(self) -> Array:
        return mix(*self.columns.values())


@dataclass(frozen=True, slots=True)
class Firsts:
    """Which pages visited once may stand first: the first `most` by URL.

    :param last: the other group that these are of, where that group decides before the URL does
    :param whole: the groups before it, all of whose pages stand first
    """

    most: int
    last: int | None = None
    whole: tuple[int, ...] = ()


class TemplateCounts:
    """Counts the template pages of blocks, perhaps by another group too.

    :param pages: those that have rows of their own
    """

    def __init__(self, other: Groups | None, pages: PageTemplates) -> None:
        self._other, self._pages = other, pages
        self._hosts = {host: place for place, host in enumerate(pages.hosts)}
        self._mixes: list[Array] = []
        self._repeated = np.empty(0, np.uint64)
        self._marks = np.zeros(int(MARKS) + 1, np.bool_)
        self.singles = 0

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
        self._repeated = np.unique(mix(*(np.array(column, np.int64) for column in columns.values())))
        self._marks[self._repeated & MARKS] = True

    def finish(self) -> None:
        """Find the mixes that stand more than once."""
        mixes = np.sort(np.concatenate(self._mixes)) if self._mixes else self._repeated
        self._mixes = []
        same = mixes[1:] == mixes[:-1]
        self._repeated = np.unique(mixes[1:][same])
        self._marks[self._repeated & MARKS] = True
        is_first = np.ones(len(mixes), np.bool_)
        is_first[1:] = ~same
        self.singles = int(np.count_nonzero(is_first)) - len(self._repeated)

    def is_repeated(self, mixes: Array) -> Array:
        """Return which mixes stand more than once."""
        result: Array = self._marks[mixes & MARKS]  # of those that do not, few pass
        places = np.flatnonzero(result)
        slots = np.searchsorted(self._repeated, mixes[places])
        slots[slots == len(self._repeated)] = 0
        result[places] = self._repeated[slots] == mixes[places] if len(self._repeated) else False
        return result

    @property
    def has_repeated(self) -> bool:
        return len(self._repeated) > 0

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

    def repeated_rows(self, block: Block, other_codes: Array | None) -> Array:
        """Return the rows of pages that may have been visited more than once, for `groups`."""
        table = self.table(block, other_codes)
        return self._rows(block, table, self.is_repeated(table.mixes()))

    def single_others(self, block: Block, other_codes: Array | None) -> Array:
        """Return the other group of each page visited once."""
        table = self.table(block, other_codes)
        return table.columns["other"][~self.is_repeated(table.mixes())]

    def single_rows(self, block: Block, other_codes: Array | None, firsts: Firsts) -> Array:
        """Return rows of pages visited once, for `groups`: all that may be among the first."""
        table = self.table(block, other_codes)
        chosen = ~self.is_repeated(table.mixes())
        if firsts.last is None:
            return self._first_rows(block, table, chosen, firsts.most)
        others = table.columns["other"]
        whole = self._rows(block, table, chosen & np.isin(others, firsts.whole))
        return np.concatenate(
            [whole, self._first_rows(block, table, chosen & (others == firsts.last), firsts.most)]
        )

    def _first_rows(self, block: Block, table: TemplateTable, chosen: Array, most: int) -> Array:
        """Return the rows of chosen pages: all that may be among the first `most` by URL."""
        hosts = np.unique(table.columns["host"])
        if len(hosts) > FEW_HOSTS:
            return self._rows(block, table, chosen)
        first = np.zeros(len(chosen), np.bool_)
        for host in hosts:
            first |= first_of(table, chosen & (table.columns["host"] == host), most)
        return self._rows(block, table, first)

    def _rows(self, block: Block, table: TemplateTable, chosen: Array) -> Array:
        places = table.places[chosen]
        columns = [column[chosen] for column in table.columns.values()]
        columns += [block.address[places], block.occurred[places]]
        rows: Array = np.stack(columns, axis=1).astype(np.int64)
        return rows

    def groups(self, pieces: Iterable[Array]) -> list[TemplateGroup]:
        """Return the groups of rows, all of which are among them."""
        rows = np.concatenate([*pieces])
        if not len(rows):
            return []
        rows = rows[np.lexsort(rows.T[::-1])]  # by page, then by address and time
        is_first = np.append(True, (rows[1:, :7] != rows[:-1, :7]).any(axis=1))
        begins = np.flatnonzero(is_first)
        address, occurred = rows[:, 7], rows[:, 8]
        is_visitor = (is_first | np.append(True, address[1:] != address[:-1])) & (address != 0)
        columns = (
            np.diff(begins, append=len(rows)),
            np.add.reduceat(is_visitor.astype(np.int64), begins),
            np.minimum.reduceat(occurred, begins),
            np.maximum.reduceat(occurred, begins),
        )
        hosts = list(self._hosts)
        numbers = (column.tolist() for column in columns)
        return [
            TemplateGroup(Template(hosts[host], *page), other, *counts)
            for (*page, host, other), *counts in zip(rows[begins, :7].tolist(), *numbers, strict=True)
        ]


def first_of(table: TemplateTable, chosen: Array, most: int) -> Array:
    """Return those of the chosen pages, of one host, that may be among the first by URL."""
    first, needed = np.zeros(len(chosen), np.bool_), most
    for kind, name in FIRST_NUMBERS:
        places = np.flatnonzero(chosen & (table.columns["kind"] == kind))
        keys = text_order(table.columns[name][places])
        if len(places) > needed > 0:
            places = places[keys <= np.partition(keys, needed - 1)[needed - 1]]
        first[places] = needed > 0
        needed -= len(places)
    return first


def text_order(numbers: Array) -> Array:
    """Return numbers whose order is nearly that of the texts of `numbers`: by their digits from the left.

    Texts of which one begins the other may have the same.
    """
    values = numbers.astype(np.uint64)
    digits = np.searchsorted(POWERS, values, "right")
    return np.asarray(values * POWERS[len(POWERS) - np.maximum(digits, 1)])


POWERS = np.array([10**digits for digits in range(19)], np.uint64)  # of numbers below 2 ** 63
