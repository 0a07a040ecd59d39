"""What a process remembers of addresses and pages: numbers by id, which columns are looked up in.

Pages stay as they are. The country of an address may become known later, and then all are looked up anew.
Arrays are replaced and never changed for ids that they know, so a thread may go on with those that it has.
"""

import uuid
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from db.address_ids import AddressIds
from db.database import Raw
from db.part_files import Array, PartColumns
from db.queries import column_reads as queries
from db.queries.column_reads import PageName
from db.read_threads import Waiting, run_while_awaited
from service.columns.tables import UNKNOWN, grow, missing_ids
from service.columns.template_mixes import PartMixes
from service.columns.templates import PageTemplates

FEW = 16  # an address of a country is looked for in a part that has so many times as many
MAX_NAMES = 20_000  # of pages whose names are kept: what lists and exports show again and again


@dataclass(slots=True)
class AddressCountries:
    """The countries of addresses, as of one version.

    :param codes: by id of the address an index of `countries`
    :param countries: the first of which is None
    :param tokens: of the parts all of whose addresses are known
    :param visitors: by id of a row the id of its address, which may have several; None if each has one
    :param ids: of the addresses of live visits
    """

    version: int
    codes: Array = field(default_factory=lambda: np.full(1, 0, np.int16))
    countries: list[str | None] = field(default_factory=lambda: [None])
    tokens: set[uuid.UUID] = field(default_factory=set)
    visitors: Array | None = None
    ids: AddressIds = field(default_factory=AddressIds)
    _of_country: tuple[Array, int, Array] | None = None

    def code(self, country: str | None) -> int:
        """Return the index of a country, which is new perhaps."""
        if country not in self.countries:
            self.countries.append(country)
        return self.countries.index(country)

    def occur_in(self, part: PartColumns, code: int) -> bool:
        """Return whether a part has an address of a country. Of a rare one its addresses are looked for."""
        known, codes = self._of_country, self.codes
        if known is None or known[0] is not codes or known[1] != code:
            known = self._of_country = codes, code, np.flatnonzero(codes == code)
        ids = known[2]
        if FEW * len(ids) >= len(part.addresses):
            return bool((codes.take(part.addresses) == code).any())
        if not len(ids):
            return False
        places = np.searchsorted(part.addresses, ids)
        return bool((part.addresses.take(places, mode="clip") == ids).any())

    def missing(self, parts: Iterable[PartColumns]) -> Array:
        """Return the ids of addresses of parts that are not known."""
        return missing_ids(self.codes, [part.addresses for part in parts])

    async def load(self, raw: Raw, ids: Array) -> None:
        rows = await queries.select_countries(raw, ids)
        codes = grow(
            self.codes, max([int(ids.max()), *(int(address_ids.max()) for _, address_ids in rows)]) + 1
        )
        codes[ids] = 0  # an address that was deleted has no country
        for country, address_ids in rows:
            codes[address_ids] = self.code(country)
        self.codes = codes
        await self._load_visitors(raw)

    async def _load_visitors(self, raw: Raw) -> None:
        variants = await queries.select_variants(raw)
        if variants is not None:
            ids, main_ids = variants
            visitors = np.arange(max(len(self.codes), int(ids.max()) + 1), dtype=np.int32)
            visitors[ids] = main_ids
            self.visitors = visitors


@dataclass(slots=True)
class PageTable:
    """The categories of pages, and which pages have one URL.

    :param categories: by id of the page; 0 for none
    :param canonical: by id of the page the least id of those known that have its URL; 0 if a template has
    :param templates: the pages whose URLs are those of template pages
    :param renamed: how often pages may have got others in `canonical`
    """

    categories: Array = field(default_factory=lambda: np.full(1, 0, np.int32))
    canonical: Array = field(default_factory=lambda: np.full(1, 0, np.int32))
    templates: PageTemplates = field(default_factory=PageTemplates)
    tokens: set[uuid.UUID] = field(default_factory=set)
    mixes: PartMixes = field(default_factory=PartMixes)
    renamed: int = 0

    def missing(self, parts: Iterable[PartColumns]) -> Array:
        return missing_ids(self.categories, [part.pages for part in parts])

    async def load(self, raw: Raw, ids: Array) -> None:
        rows = await queries.select_page_categories(raw, ids)
        twins = await queries.select_page_twins(raw, ids)
        templates = await run_while_awaited(
            partial(parse_templates, await queries.select_template_pages(raw, ids))
        )
        size = max([int(ids.max()), *(int(page_ids.max()) for _, page_ids in rows)]) + 1
        categories, canonical = grow(self.categories, size), grow(self.canonical, size)
        for category_id, page_ids in rows:
            categories[page_ids] = category_id or 0
            canonical[page_ids] = page_ids
        canonical[templates.ids] = 0
        for page_id, twin_id in twins:
            if twin_id < len(canonical) and canonical[twin_id] != UNKNOWN:
                least = min(int(canonical[page_id]), int(canonical[twin_id]))
                canonical[page_id] = canonical[twin_id] = least
        self.categories, self.canonical = categories, canonical
        self.renamed += len(twins) > 0
        self.templates |= templates


def parse_templates(pages: Sequence[tuple[int, str]], _: Waiting) -> PageTemplates:
    return PageTemplates.parse(pages)


@dataclass(slots=True)
class Names:
    """The names of pages and categories that were shown last."""

    pages: OrderedDict[int, PageName] = field(default_factory=OrderedDict)
    categories: dict[int, str] = field(default_factory=dict)
    referrers: OrderedDict[int, str] = field(default_factory=OrderedDict)

    async def of_pages(self, raw: Raw, ids: Collection[int]) -> dict[int, PageName]:
        """Return the names of pages, all of which there are."""
        names = {page_id: self.pages[page_id] for page_id in ids if page_id in self.pages}
        missing = [page_id for page_id in ids if page_id not in names]
        if missing:
            new = await queries.select_page_names(raw, missing)
            names |= new
            self.pages.update(new)
        for page_id in names:
            self.pages.move_to_end(page_id)
        while len(self.pages) > MAX_NAMES:
            self.pages.popitem(last=False)
        return names

    async def of_referrers(self, raw: Raw, ids: Collection[int]) -> dict[int, str]:
        """Return the URLs of referrers, all of which there are."""
        urls = {
            referrer_id: self.referrers[referrer_id] for referrer_id in ids if referrer_id in self.referrers
        }
        missing = [referrer_id for referrer_id in ids if referrer_id not in urls]
        if missing:
            new = await queries.select_referrer_urls(raw, missing)
            urls |= new
            self.referrers.update(new)
        for referrer_id in urls:
            self.referrers.move_to_end(referrer_id)
        while len(self.referrers) > MAX_NAMES:
            self.referrers.popitem(last=False)
        return urls

    async def of_categories(self, raw: Raw, ids: Collection[int]) -> dict[int, str]:
        """Return the names of categories by id."""
        missing = [category_id for category_id in ids if category_id not in self.categories]
        if missing:
            self.categories |= await queries.select_category_names(raw, missing)
        return self.categories
