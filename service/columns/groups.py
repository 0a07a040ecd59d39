"""What visits are grouped by: each row of a block gets a number, and each number has a label.

Numbers are whole, from 0; where there may be no value, 0 stands for none. Labels are looked up for those
groups alone that are shown, or whose order is in question.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from db.kinds import KIND_CODES, KINDS
from db.part_files import Array
from db.queries import column_reads as queries
from service.columns.blocks import Block, LiveBlock
from service.columns.matching import Rows
from service.columns.snapshot import Snapshot
from time_slices import TimeSlices

MANY = 5000  # pages whose names are looked up once and not kept


class Groups(Protocol):
    """Numbers the values of rows by one of the groups that statistics know."""

    @property
    def size(self) -> int:
        """More than all numbers that were given out."""

    def codes(self, block: Block) -> Array:
        """Return the numbers of a block's rows."""

    async def labels(self, snapshot: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        """Return the values that numbers stand for. They have the order of the groups; None comes last."""


class CountryGroups:
    """Countries, of log lines those of their addresses."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._addresses = snapshot.addresses

    @property
    def size(self) -> int:
        return len(self._addresses.countries)

    def codes(self, block: Block) -> Array:
        if isinstance(block, LiveBlock):
            return block.country
        return self._addresses.codes[block.part.address[block.rows]]

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self._addresses.countries[code] for code in codes}


class CategoryGroups:
    """Categories of pages, by their ids."""

    def __init__(self, snapshot: Snapshot, size: int) -> None:
        self._pages = snapshot.pages
        self.size = size

    def codes(self, block: Block) -> Array:
        if isinstance(block, LiveBlock):
            return block.live.category
        return self._pages.categories[block.part.page[block.rows]]

    async def labels(self, snapshot: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        names = await snapshot.names.of_categories(snapshot.raw, [code for code in codes if code])
        return {code: names[code] if code else None for code in codes}


class KindGroups:
    """Kinds, in the order of their names."""

    names = tuple(sorted(KINDS))
    size = len(KINDS)

    def __init__(self) -> None:
        self._codes = np.zeros(256, np.int8)
        for number, name in enumerate(self.names):
            self._codes[ord(KIND_CODES[name])] = number

    def codes(self, block: Block) -> Array:
        return self._codes[block.kind if isinstance(block, LiveBlock) else block.part.kind[block.rows]]

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self.names[code] for code in codes}


class AgentGroups:
    """What agents tell: browsers, systems or devices."""

    def __init__(self, snapshot: Snapshot, trait: str) -> None:
        self._agents, self._trait = snapshot.agents, trait

    @property
    def size(self) -> int:
        return len(self._agents.texts[self._trait].texts)

    def codes(self, block: Block) -> Array:
        return self._agents.codes[self._trait][block.agent]

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self._agents.texts[self._trait].texts[code] for code in codes}


class ReferrerGroups:
    """The hosts of the pages that visits came from."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._referrers = snapshot.referrers

    @property
    def size(self) -> int:
        return len(self._referrers.hosts.texts)

    def codes(self, block: Block) -> Array:
        return self._referrers.codes[block.referrer]

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self._referrers.hosts.texts[code] for code in codes}


class StatusGroups:
    """Statuses, which are their own numbers."""

    size = 1 << 15

    def codes(self, block: Block) -> Array:
        return block.status

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: code or None for code in codes}


class TimeGroups:
    """Hours, days, weeks or months."""

    def __init__(self, slices: TimeSlices) -> None:
        self._slices = slices
        self.size = len(slices.labels)

    def earlier(self, shift: int) -> "TimeGroups":
        """Return the same groups for instants that are earlier by so many microseconds."""
        return TimeGroups(replace(self._slices, begins=self._slices.begins - shift))

    def between(self, first: int, last: int) -> Array:
        """Return the groups that instants of [first, last] may be in."""
        return self._slices.groups[self._slices.groups_between(first, last)]

    def codes(self, block: Block) -> Array:
        groups, lengths = self.runs(block.occurred)
        return np.repeat(groups, lengths)

    def runs(self, occurred: Array) -> tuple[Array, Array]:
        """Return the groups that instants in order are in, one after the other, and how many are in each."""
        if not len(occurred):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        some = self._slices.groups_between(int(occurred[0]), int(occurred[-1]))
        begins = np.searchsorted(occurred, self._slices.begins[some.start + 1 : some.stop])
        return self._slices.groups[some], np.diff(begins, prepend=0, append=len(occurred))

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self._slices.begin_of(code) for code in codes}


class UserGroups:
    """Users, by their numbers in UserTable."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._users = snapshot.users

    @property
    def size(self) -> int:
        return self._users.size

    def codes(self, block: Block) -> Array:
        rows, users = self.rows(block)
        codes = np.zeros(len(block), np.int32)
        codes[rows] = users
        return codes

    def rows(self, block: Block) -> tuple[Array, Array]:
        """Return the places of rows in a block, and their numbers; all others have no user."""
        if isinstance(block, LiveBlock):
            rows = np.flatnonzero(block.live.has_user)
            return rows, self._users.of_users(block.live.user_id[rows])
        codes = self._users.of_part(block.span.token, block.part)
        if len(block.part.ids):
            return np.arange(len(codes[block.rows])), codes[block.rows]
        rows, inside = places_of(block.part.number_rows, block.rows)
        return rows, codes[inside]

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self._users.id_of(code) for code in codes}


def places_of(candidates: Array, rows: Rows) -> tuple[Array, Array]:
    """Return where those of the candidate rows that are among `rows` stand there, and which of them are."""
    if isinstance(rows, slice):
        inside = (candidates >= rows.start) & (candidates < rows.stop)
        return candidates[inside] - rows.start, inside
    if not len(rows) or not len(candidates):
        return np.empty(0, np.int64), np.zeros(len(candidates), np.bool_)
    places = np.full(max(int(rows[-1]), int(candidates[-1])) + 1, -1, np.int32)  # quicker than a search
    places[rows] = np.arange(len(rows))
    places = places[candidates]
    inside = places >= 0
    return places[inside], inside


class PageGroups:
    """Pages by URL: ids of pages, and numbers beyond them for URLs of live visits alone.

    Template pages have the number 0, also those with rows of their own, and are counted apart
    (service/columns/template_counts.py).
    """

    def __init__(self, snapshot: Snapshot, newest_page: int) -> None:
        self._canonical = snapshot.pages.canonical  # of one moment: others may learn of pages with one URL
        self._live: dict[str, int] = {}
        self._first_live = newest_page + 1

    @property
    def size(self) -> int:
        return self._first_live + len(self._live)

    def codes(self, block: Block) -> Array:
        if isinstance(block, LiveBlock):
            return block.page
        return self._canonical[block.part.page[block.rows]]

    async def number_urls(self, snapshot: Snapshot, urls: Sequence[str]) -> dict[str, int]:
        """Return the numbers of live visits' URLs, none of which is a template page's."""
        ids: dict[str, int] = {}
        rows = await queries.select_page_ids(snapshot.raw, urls)
        if rows:
            await snapshot.pages.load(snapshot.raw, np.array([page_id for page_id, _ in rows], np.int32))
            self._canonical = snapshot.pages.canonical
        for page_id, url in rows:
            ids[url] = int(self._canonical[page_id])
        for url in urls:
            if url not in ids:
                ids[url] = self._live[url] = self._first_live + len(self._live)
        return ids

    async def labels(self, snapshot: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        live = {code: url for url, code in self._live.items()}
        pages = [code for code in codes if code < self._first_live]
        if len(pages) > MANY:
            names = await queries.select_page_names(snapshot.raw, pages)
        else:
            names = await snapshot.names.of_pages(snapshot.raw, pages)
        return {code: live[code] if code in live else names[code].url for code in codes}
