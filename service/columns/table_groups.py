"""Groups whose numbers stand in a table: what the addresses, pages, agents and referrers of visits tell."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from db.kinds import KIND_CODES, KINDS
from db.part_files import Array, values_at
from service.columns.blocks import Block, LiveBlock, PartBlock
from service.columns.snapshot import Snapshot


class TableGroups(ABC):
    """Groups whose numbers stand in a table, by an id that each row of a part has."""

    @property
    @abstractmethod
    def table(self) -> Array:
        """The numbers by id."""

    @abstractmethod
    def ids(self, block: PartBlock) -> Array:
        """Return the ids of a block's rows."""

    @abstractmethod
    def live_codes(self, block: LiveBlock) -> Array:
        """Return the numbers of live visits."""

    def codes(self, block: Block) -> Array:
        if isinstance(block, LiveBlock):
            return self.live_codes(block)
        return self.table.take(self.ids(block))


class CountryGroups(TableGroups):
    """Countries, of log lines those of their addresses."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._addresses = snapshot.addresses

    @property
    def size(self) -> int:
        return len(self._addresses.countries)

    @property
    def table(self) -> Array:
        return self._addresses.codes

    def ids(self, block: PartBlock) -> Array:
        return values_at(block.part.address, block.rows)

    def live_codes(self, block: LiveBlock) -> Array:
        return block.country

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self._addresses.countries[code] for code in codes}


class CategoryGroups(TableGroups):
    """Categories of pages, by their ids."""

    def __init__(self, snapshot: Snapshot, size: int) -> None:
        self._pages = snapshot.pages
        self.size = size

    @property
    def table(self) -> Array:
        return self._pages.categories

    def ids(self, block: PartBlock) -> Array:
        return block.page

    def live_codes(self, block: LiveBlock) -> Array:
        return block.live.category

    async def labels(self, snapshot: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        names = await snapshot.names.of_categories(snapshot.raw, [code for code in codes if code])
        return {code: names[code] if code else None for code in codes}


class KindGroups(TableGroups):
    """Kinds, in the order of their names."""

    names = tuple(sorted(KINDS))
    size = len(KINDS)

    def __init__(self) -> None:
        self._codes = np.zeros(256, np.int8)
        for number, name in enumerate(self.names):
            self._codes[ord(KIND_CODES[name])] = number

    @property
    def table(self) -> Array:
        return self._codes

    def ids(self, block: PartBlock) -> Array:
        return values_at(block.part.kind, block.rows)

    def live_codes(self, block: LiveBlock) -> Array:
        return self._codes.take(block.kind)

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self.names[code] for code in codes}


class AgentGroups(TableGroups):
    """What agents tell: browsers, systems or devices."""

    def __init__(self, snapshot: Snapshot, trait: str) -> None:
        self._agents, self._trait = snapshot.agents, trait

    @property
    def size(self) -> int:
        return len(self._agents.texts[self._trait].texts)

    @property
    def table(self) -> Array:
        return self._agents.codes[self._trait]

    def ids(self, block: PartBlock) -> Array:
        return block.agent

    def live_codes(self, block: LiveBlock) -> Array:
        return self.table.take(block.agent)

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self._agents.texts[self._trait].texts[code] for code in codes}


class ReferrerGroups(TableGroups):
    """The hosts of the pages that visits came from."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._referrers = snapshot.referrers

    @property
    def size(self) -> int:
        return len(self._referrers.hosts.texts)

    @property
    def table(self) -> Array:
        return self._referrers.codes

    def ids(self, block: PartBlock) -> Array:
        return block.referrer

    def live_codes(self, block: LiveBlock) -> Array:
        return self.table.take(block.referrer)

    async def labels(self, _: Snapshot, codes: Sequence[int]) -> dict[int, Any]:
        return {code: self._referrers.hosts.texts[code] for code in codes}
