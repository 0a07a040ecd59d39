"""Visits in parts that no roll-up of whole days counts: those of partial days, and distinct addresses."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np

from calendar_days import microseconds
from db.database import Database, Raw
from db.kinds import KIND_CODES
from db.part_files import PartColumns
from db.queries.column_reads import Span
from db.queries.live_columns import select_live_columns
from db.queries.names import select_category_id
from db.queries.reports import CountryRequests, CountryVisitors, Scope
from db.queries.visit_list import VisitFilter
from db.read_threads import Waiting, run_while_awaited
from service.columns.country_visitors import count_country_visitors
from service.columns.counts import live_block
from service.columns.matching import PartFilter, matching_rows
from service.columns.snapshot import Parts, Snapshot, make_snapshot
from service.columns.store import ColumnStore


async def add_lines(
    db: Database,
    raw: Raw,
    store: ColumnStore,
    scope: Scope,
    rows: Sequence[CountryRequests],
    *,
    category: str | None = None,
    kinds: Sequence[str] = (),
) -> list[CountryRequests]:
    """Add the visits in parts of partial days to the requests of countries, most first.

    :param category: whose pages of these kinds are counted; None for all pages
    """
    totals = Counter({row.country: row.requests for row in rows})
    category_id = None if category is None else await select_category_id(raw, category)
    if category is None or category_id is not None:
        snapshot = await make_snapshot(db, raw, store)
        for since, until in scope.partial_days:
            criteria = PartFilter(
                since=microseconds(since),
                until=microseconds(until),
                category_id=category_id,
                is_bot=scope.is_bot,
            )
            spans = await snapshot.spans(since, until, scope.sources)
            totals.update(await count_countries(snapshot, criteria, spans, kinds))
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [CountryRequests(country, requests) for country, requests in ranked]


async def count_countries(
    snapshot: Snapshot, criteria: PartFilter, spans: Sequence[Span], kinds: Sequence[str]
) -> Counter[str]:
    """Count the visits in parts that a filter lets through by country."""
    codes = np.array([ord(KIND_CODES[kind]) for kind in kinds], np.uint8)
    counts: Counter[str] = Counter()
    async for parts in snapshot.batches(spans):
        counts.update(await run_while_awaited(partial(count_parts, snapshot, criteria, codes, parts)))
    return counts


def count_parts(
    snapshot: Snapshot, criteria: PartFilter, kinds: np.ndarray, parts: Parts, waiting: Waiting
) -> Counter[str]:
    """Count the visits in some parts by country, in a thread."""
    totals = np.zeros(len(snapshot.addresses.countries), np.int64)
    for span, part in parts:
        waiting.check()
        countries = countries_of(snapshot, criteria, kinds, span, part)
        totals += np.bincount(countries, minlength=len(totals))
    names = snapshot.addresses.countries
    return Counter({name: int(total) for name, total in zip(names, totals, strict=True) if name and total})


def countries_of(
    snapshot: Snapshot, criteria: PartFilter, kinds: np.ndarray, span: Span, part: PartColumns
) -> np.ndarray:
    """Return the country of each row that the filter lets through, and whose kind is one of those."""
    rows = matching_rows(snapshot, criteria, span, part)
    addresses = part.address[rows]
    if len(kinds):
        addresses = addresses[np.isin(part.kind[rows], kinds)]
    return snapshot.addresses.codes[addresses]


async def count_visitors(db: Database, raw: Raw, store: ColumnStore, scope: Scope) -> list[CountryVisitors]:
    """Count the distinct addresses of countries, most first; ties by code."""
    snapshot = await make_snapshot(db, raw, store)
    criteria = PartFilter(
        since=microseconds(scope.since), until=microseconds(scope.until), is_bot=scope.is_bot
    )
    spans = await snapshot.spans(scope.since, scope.until, scope.sources)
    live = None
    if scope.is_live is not False:
        visit_filter = VisitFilter(scope.since, scope.until, is_bot=scope.is_bot)
        columns = await select_live_columns(raw, visit_filter, ["country"], snapshot.addresses.ids)
        live = live_block(snapshot, columns, None)
    visitors = await count_country_visitors(snapshot, criteria, spans, live)
    rows = [CountryVisitors(*each) for each in visitors.items()]
    return sorted(rows, key=lambda row: (-row.visitors, row.country))
