"""Blocks of visits: the rows of a part, or the live ones, that a filter lets through."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from db.part_files import Array, PartColumns, values_at
from db.queries.column_reads import Span
from db.queries.live_columns import LiveColumns
from service.columns.matching import Rows, count_rows
from service.columns.templates import Template


@dataclass(frozen=True, slots=True)
class PartBlock:
    """Rows of a part; `visitors` as AddressCountries has them."""

    span: Span
    part: PartColumns
    rows: Rows
    visitors: Array | None = None

    def __len__(self) -> int:
        return count_rows(self.rows)

    def at(self, places: Array) -> "PartBlock":
        """Return some of the rows, by their places among these."""
        rows = self.rows.start + places if isinstance(self.rows, slice) else self.rows.take(places)
        return PartBlock(self.span, self.part, rows, self.visitors)

    @property
    def occurred(self) -> Array:
        return values_at(self.part.occurred, self.rows)

    @property
    def address(self) -> Array:
        address_ids = values_at(self.part.address, self.rows)
        return address_ids if self.visitors is None else self.visitors.take(address_ids)

    @property
    def page(self) -> Array:
        return values_at(self.part.page, self.rows)

    @property
    def agent(self) -> Array:
        return self.part.values("agent", self.rows)

    @property
    def referrer(self) -> Array:
        return self.part.values("referrer", self.rows)

    @property
    def status(self) -> Array:
        return self.part.values("status", self.rows)


@dataclass(frozen=True, slots=True)
class LiveBlock:
    """Live visits, in order of time.

    :param country: codes of AddressCountries
    :param kind: character codes
    :param page: ids as PageGroups numbers URLs, 0 for template pages; empty if pages are not grouped
    :param templates: the template pages, by row
    """

    live: LiveColumns
    country: Array
    kind: Array
    page: Array
    templates: Mapping[int, Template]

    def __len__(self) -> int:
        return len(self.live)

    @property
    def occurred(self) -> Array:
        return self.live.occurred

    @property
    def address(self) -> Array:
        return self.live.address

    @property
    def agent(self) -> Array:
        return self.live.agent

    @property
    def referrer(self) -> Array:
        return self.live.referrer

    @property
    def status(self) -> Array:
        return np.zeros(len(self.live), np.int16)  # nobody has answered a live visit here


Block = PartBlock | LiveBlock
