"""How many visits there are in each group, and of how many visitors."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from db.kinds import KIND_CODES
from db.queries import column_reads
from db.queries.column_reads import Span
from db.queries.live_columns import LiveColumns, select_live_columns
from db.queries.visit_list import VisitFilter
from service.columns.blocks import LiveBlock
from service.columns.groups import (
    CategoryGroups,
    CountryGroups,
    Groups,
    KindGroups,
    PageGroups,
    TimeGroups,
    UserGroups,
)
from service.columns.lists import EPOCH
from service.columns.matching import part_filter
from service.columns.snapshot import Snapshot
from service.columns.statistics import CountRow, Statistics
from service.columns.templates import parse_template
from service.columns.time_slices import time_slices

UNITS = ("hour", "day", "week", "month")


async def select_counts(
    snapshot: Snapshot,
    visit_filter: VisitFilter,
    group_by: Sequence[str],
    tz: str,
    *,
    limit: int,
    offset: int,
) -> list[CountRow]:
    """Return a row for each group, most visits first, then by group, nulls last."""
    criteria = await part_filter(snapshot, visit_filter)
    spans = [] if criteria is None else await snapshot.spans(visit_filter.since, visit_filter.until)
    live = None
    if visit_filter.lets_live_through:
        live = await select_live_columns(snapshot.raw, visit_filter, group_by)
    if "page" in group_by:
        async for _ in snapshot.batches(spans):  # knows all pages from now on
            pass
    block, groups = await make_groups(snapshot, spans, live, group_by, tz)
    statistics = Statistics(snapshot, criteria, spans, block, groups)
    return await statistics.rows(limit=limit, offset=offset)


async def make_groups(
    snapshot: Snapshot, spans: Sequence[Span], live: LiveColumns | None, group_by: Sequence[str], tz: str
) -> tuple[LiveBlock | None, list[Groups]]:
    """Return the live visits as a block, and what visits are grouped by."""
    groups: list[Groups] = []
    pages = None
    for name in group_by:
        if name in UNITS:
            groups.append(TimeGroups(time_slices(name, tz, *period(spans, live))))
        elif name == "page":
            pages = PageGroups(snapshot, await column_reads.select_newest_page(snapshot.raw))
            groups.append(pages)
        elif name == "user":
            groups.append(UserGroups())
        elif name == "country":
            groups.append(CountryGroups(snapshot))
        elif name == "category":
            newest = await column_reads.select_newest_category(snapshot.raw)
            groups.append(CategoryGroups(snapshot, newest + 1))
        else:
            groups.append(KindGroups())
    return (await live_block(snapshot, live, pages) if live is not None and len(live) else None), groups


def period(spans: Sequence[Span], live: LiveColumns | None) -> tuple[int, int]:
    """Return the first and the last instant that there may be."""
    instants = [instant for span in spans for instant in (span.first_at, span.last_at)]
    if live is not None and len(live):
        instants += [int(live.occurred[0]), int(live.occurred[-1])]
    return (min(instants), max(instants)) if instants else (0, 0)


async def live_block(snapshot: Snapshot, live: LiveColumns, pages: PageGroups | None) -> LiveBlock:
    addresses = snapshot.addresses
    codes = {country: addresses.code(country) for country in set(live.countries)}
    page, templates = np.empty(0, np.int64), {}
    if pages is not None:
        by_url = {url: parse_template(url) for url in set(live.urls)}
        plain = sorted(url for url, template in by_url.items() if template is None)
        numbers = await pages.number_urls(snapshot, plain)
        page = np.array([numbers.get(url, 0) for url in live.urls], np.int64)
        templates = {
            row: template for row, url in enumerate(live.urls) if (template := by_url[url]) is not None
        }
    return LiveBlock(
        live,
        country=np.array([codes[country] for country in live.countries], np.int64),
        kind=np.array([ord(KIND_CODES[kind]) for kind in live.kinds], np.int64),
        page=page,
        templates=templates,
    )


def instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
