"""What visits are grouped by: each row of a block gets a number, and each number has a label.

Numbers are whole, from 0; where there may be no value, 0 stands for none. Labels are looked up for those
groups alone that are shown, or whose order is in question.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from db.part_files import Array
from db.queries import column_reads as queries
from service.columns.blocks import Block, LiveBlock, PartBlock
from service.columns.matching import Rows
from service.columns.snapshot import Snapshot
from service.columns.table_groups import TableGroups
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

    @property
    def first(self) -> int:
        """The hour or day at which the first group begins: groups that begin alike are numbered alike."""
        return int(self._slices.labels[0])

    def earlier(self, shift: int) -> "TimeGroups":
        """Return the same groups for instants that are earlier by so many microseconds."""
        return TimeGroups(replace(self._slices, begins=self._slices.begins - shift))

    def between(self, first: int, last: int) -> Array:
        """Return the groups that instants of [first, last] may be in."""
        return self._slices.groups[self._slices.groups_between(first, last)]

    def codes(self, block: Block) -> Array:
        groups, lengths = self.runs(block.occurred)
        return np.repeat(groups.astype(np.int32), lengths)

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
        codes[rows.astype(np.intp)] = users
        return codes

    def rows(self, block: Block) -> tuple[Array, Array]:
        """Return the places of rows in a block, and their numbers; all others have no user."""
        if isinstance(block, LiveBlock):
            rows = np.flatnonzero(block.live.has_user)
            return rows, self._users.of_users(block.live.user_id[rows])
        rows, codes = self._users.of_part(block.span.token, block.part)
        if isinstance(block.rows, slice) and block.rows == slice(0, len(block.part)):
            return rows, codes
        places, inside = places_of(rows, block.rows)
        return places, codes.take(inside)

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self._users.id_of(code) for code in codes}


def places_of(candidates: Array, rows: Rows) -> tuple[Array, Array]:
    """Return where those of the candidate rows that are among `rows` stand there, and which of them are.

    Both are in order.
    """
    if isinstance(rows, slice):
        begin, end = np.searchsorted(candidates, [rows.start, rows.stop]).tolist()
        return candidates[begin:end] - rows.start, np.arange(begin, end)
    if not len(rows) or not len(candidates):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    places = np.full(max(int(rows[-1]), int(candidates[-1])) + 1, -1, np.int32)  # quicker than a search
    places[rows] = np.arange(len(rows))
    places = places.take(candidates)
    inside = np.flatnonzero(places >= 0)
    return places.take(inside), inside


class PageGroups(TableGroups):
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

    @property
    def table(self) -> Array:
        return self._canonical

    def ids(self, block: PartBlock) -> Array:
        return block.page

    def live_codes(self, block: LiveBlock) -> Array:
        return block.page

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
