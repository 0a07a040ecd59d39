"""The visits of some addresses in parts, which are counted when their countries become known."""

from collections.abc import Mapping
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import add_counts
from db.queries.addresses import change_address_version
from db.queries.bots import select_bots
from db.queries.part_columns import Columns, PartSpan, select_columns, select_part_spans
from db.queries.part_removal import KIND_INDEX, concatenate, select_categories
from db.queries.visits import COUNTRY_ROLLUPS
from db.rollup_counts import CountedColumns, rollup_literals
from db.threads import run_in_thread

NAMES = ("occurred", "kind", "page_id", "address_id", "agent_id")


class VisitsOfAddresses:
    """Visits of addresses whose countries are about to be set, read part by part without a lock."""

    def __init__(self, countries: Mapping[int, str]) -> None:
        """:param countries: by the ids of the addresses"""
        self._names = sorted(set(countries.values()))
        self._country = np.full(max(countries, default=0) + 1, -1, np.int64)
        for address_id, country in countries.items():
            self._country[address_id] = self._names.index(country)
        self._parts: dict[UUID, tuple[str, Columns]] = {}  # with the source of the visits

    async def read(self, session: AsyncSession) -> None:
        """Read the parts that were not read before, and drop those that are gone."""
        parts = {}
        for span in await select_part_spans(session):
            known = self._parts.get(span.token)
            parts[span.token] = known or (span.source, await self._select(session, span))
        self._parts = parts

    async def _select(self, session: AsyncSession, span: PartSpan) -> Columns:
        """Read the visits of a part whose addresses have a new country."""
        columns = await select_columns(session, span, ["address_id"])
        if columns is not None:
            address_ids = columns["address_id"]
            rows = np.flatnonzero(self._country[np.minimum(address_ids, len(self._country) - 1)] >= 0)
            rows = rows[address_ids[rows] < len(self._country)]
            if len(rows):
                columns = await select_columns(session, span, NAMES)
                if columns is not None:
                    return {name: values[rows] for name, values in columns.items()}
        return {name: np.zeros(0, np.int64) for name in NAMES}

    async def count_with_countries(self, session: AsyncSession) -> int:
        """Add the visits to the roll-ups by country. Return how many they are.

        The caller is the only writer, also of parts, and sets the countries of the addresses in the same
        transaction.
        """
        await change_address_version(session)
        await self.read(session)
        sources = sorted({source for source, _ in self._parts.values()})
        return sum([await self._count_of_source(session, source) for source in sources])

    async def _count_of_source(self, session: AsyncSession, source: str) -> int:
        """Add the visits of a source to the roll-ups by country. Return how many they are."""
        visits = concatenate([visits for own, visits in self._parts.values() if own == source], NAMES)
        columns = CountedColumns(
            occurred=visits["occurred"],
            kind=KIND_INDEX[visits["kind"]],
            category_id=await select_categories(session, visits["page_id"].astype(np.int64)),
            country=self._country[visits["address_id"]],
            countries=self._names,
            is_bot=await select_bots(session, visits["agent_id"].astype(np.int64)),
        )
        for model, counts in await run_in_thread(lambda: rollup_literals(columns, source=source)):
            if model in COUNTRY_ROLLUPS:
                await add_counts(session, model, counts)
        return len(columns.occurred)
