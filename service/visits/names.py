"""The ids of the names that log lines hold: addresses, pages, referrers and agents, inserted where new.

Names are inserted in transactions of their own, so that nobody waits for visits because of a name.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from calendar_days import microseconds
from clients.geo import Geo
from db.database import Database, Transaction
from db.kinds import KIND_CODES
from db.queries import addresses as address_queries
from db.queries import names as name_queries
from db.queries.addresses import AddressRow
from db.queries.masked_addresses import AddressCountry, MaskedRow, ensure_masked_addresses
from db.queries.pages import PageRow, ensure_pages
from service.logs.line_columns import KINDS, LineColumns, PageName
from service.visits.agents import ensure_agents, ensure_referrers, stored_text
from service.visits.known_addresses import COUNTRY, FIRST_PRODUCT, ID, NEVER, KnownAddresses

NO_COUNTRY = -1
PRODUCT = KINDS.index("product")


@dataclass(frozen=True, slots=True)
class NameLimits:
    """How many addresses, pages, referrers and agents an importer remembers: 150 to 600 bytes each."""

    addresses: int = 100_000
    pages: int = 50_000
    referrers: int = 50_000
    agents: int = 25_000


LIMITS = NameLimits()


@dataclass(frozen=True, slots=True)
class ChunkNames:
    """What the names of a chunk stand for, in the order of its lists.

    :param version: of addresses, when these were looked up
    :param country: index into `countries`, or NO_COUNTRY
    :param first_product: the bound of each address, in microseconds since 1970; NEVER if it has none
    :param page_id: and the two after it: 0 where there is none, and one 0 more at the end, for template pages
    :param referrer_id: and agent_id: one 0 more at the end, for lines that name none; likewise `is_bot`
    """

    version: int
    address_id: NDArray[np.int32]
    country: NDArray[np.int16]
    first_product: NDArray[np.int64]
    countries: list[str]
    page_id: NDArray[np.int32]
    category_id: NDArray[np.int32]
    product_id: NDArray[np.int32]
    referrer_id: NDArray[np.int32]
    agent_id: NDArray[np.int32]
    is_bot: NDArray[np.bool_]


@dataclass(slots=True)
class NameIds:
    """The ids of names, which an import remembers from chunk to chunk."""

    geo: Geo
    limits: NameLimits = LIMITS
    version: int = 0
    addresses: KnownAddresses = field(default_factory=KnownAddresses)
    pages: dict[PageName, tuple[int, int, int]] = field(default_factory=dict)
    referrers: dict[str, int] = field(default_factory=dict)
    agents: dict[str, tuple[int, bool]] = field(default_factory=dict)
    countries: list[str] = field(default_factory=list)
    country_indexes: dict[str, int] = field(default_factory=dict)

    async def get(self, db: Database, lines: LineColumns) -> ChunkNames:
        """Return the ids of all names of the chunk; insert those that are new."""
        self._trim()
        async with db.transaction() as session:
            # Before the addresses: when it changes after them, whoever stores the chunk sees that.
            version = await address_queries.select_address_version(session)
            if version != self.version:
                self.addresses.clear()
                self.version = version
            await self._add_addresses(session, lines)
            await self._add_pages(session, [page for page in lines.pages if page not in self.pages])
        await self._add_referrers_and_agents(db, lines)
        known = self.addresses.take(lines.address_keys)
        ids = np.array([self.pages[page] for page in lines.pages] + [(0, 0, 0)], np.int32)
        agents = [self.agents[stored_text(agent)] for agent in lines.agents] + [(0, False)]
        referrers = [self.referrers[stored_text(referrer)] for referrer in lines.referrers] + [0]
        return ChunkNames(
            version=version,
            address_id=known[:, ID].astype(np.int32),
            country=known[:, COUNTRY].astype(np.int16),
            first_product=known[:, FIRST_PRODUCT],
            countries=self.countries,
            page_id=ids[:, 0],
            category_id=ids[:, 1],
            product_id=ids[:, 2],
            referrer_id=np.array(referrers, np.int32),
            agent_id=np.array([agent_id for agent_id, _ in agents], np.int32),
            is_bot=np.array([is_bot for _, is_bot in agents], np.bool_),
        )

    def _trim(self) -> None:
        """Clear what has grown too large: what the next chunks need comes back."""
        if len(self.addresses) > self.limits.addresses:
            self.addresses.clear()
        if len(self.pages) > self.limits.pages:
            self.pages.clear()
        if len(self.referrers) > self.limits.referrers:
            self.referrers.clear()
        if len(self.agents) > self.limits.agents:
            self.agents.clear()

    async def _add_referrers_and_agents(self, db: Database, lines: LineColumns) -> None:
        referrers = dict.fromkeys(map(stored_text, lines.referrers))
        self.referrers |= await ensure_referrers(
            db, [referrer for referrer in referrers if referrer not in self.referrers]
        )
        agents = dict.fromkeys(map(stored_text, lines.agents))
        self.agents |= await ensure_agents(db, [agent for agent in agents if agent not in self.agents])

    async def _add_addresses(self, session: Transaction, lines: LineColumns) -> None:
        """Insert the addresses of lines that are new, and cache ids, countries and first views of all."""
        if lines.countries is not None:
            pairs = zip(lines.addresses, lines.countries, strict=True)
            self._remember(await ensure_masked_addresses(session, self.addresses.missing(pairs)))
            return
        new = self.addresses.missing(lines.addresses)
        await self._select(session, new)
        views = dict(zip(lines.addresses, first_products(lines).tolist(), strict=True)) if new else {}
        # Again where somebody else has inserted some of them meanwhile.
        while missing := self.addresses.missing(new):
            countries = await asyncio.to_thread(self.geo.countries, missing)
            bounds = [None if views[address] == NEVER else views[address] for address in missing]
            ids = await address_queries.insert_addresses(session, missing, countries, bounds)
            indexes = {country: self._country_index(country) for country in set(countries)}
            self.addresses.add(
                {
                    address: (ids[address], indexes[country], views[address])
                    for address, country in zip(missing, countries, strict=True)
                    if address in ids
                }
            )
            await self._select(session, [address for address in missing if address not in ids])

    async def _select(self, session: Transaction, addresses: list[str]) -> None:
        if not addresses:
            return
        self._remember(await address_queries.select_address_rows(session, addresses))

    def _remember(self, rows: Mapping[str, AddressRow] | Mapping[AddressCountry, MaskedRow]) -> None:
        self.addresses.add(
            {
                key: (row.id, self._country_index(row.country), bound_of(row.first_product_at))
                for key, row in rows.items()
            }
        )

    def _country_index(self, country: str | None) -> int:
        if country is None:
            return NO_COUNTRY
        index = self.country_indexes.setdefault(country, len(self.countries))
        if index == len(self.countries):
            self.countries.append(country)
        return index

    async def _add_pages(self, session: Transaction, pages: list[PageName]) -> None:
        """Insert the pages that are new, with their names, and cache the ids of all."""
        if not pages:
            return
        names = {(page.category, page.product) for page in pages if page.category is not None}
        category_ids: dict[str, int] = {}
        product_ids: dict[tuple[int, str], int] = {}
        if names:
            await name_queries.insert_names(session, names)
            category_ids = await name_queries.select_category_ids(
                session, sorted({name for name, _ in names})
            )
            products = sorted((category_ids[name], product) for name, product in names if product is not None)
            product_ids = await name_queries.select_product_ids(session, products)
        rows = []
        for page in pages:
            category_id = None if page.category is None else category_ids[page.category]
            product_id = None
            if category_id is not None and page.product is not None:
                product_id = product_ids[category_id, page.product]
            rows.append(PageRow(page.url, KIND_CODES[page.kind], category_id, product_id))
        ids = await ensure_pages(session, rows)
        for page, row, page_id in zip(pages, rows, ids, strict=True):
            self.pages[page] = (page_id, row.category_id or 0, row.product_id or 0)


def bound_of(first_product_at: datetime | None) -> int:
    return NEVER if first_product_at is None else microseconds(first_product_at)


def first_products(lines: LineColumns) -> NDArray[np.int64]:
    """Return when each address of the chunk viewed a product first; NEVER if it did not."""
    first = np.full(len(lines.addresses), NEVER, np.int64)
    views = np.flatnonzero(lines.kind == PRODUCT)[::-1]
    first[lines.address[views]] = lines.occurred[views]  # of several the last is written: the earliest
    return first
