"""What roll-ups don't count, for the reports: read from columns, which need numpy, where there is any."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from calendar_days import ClockSpan, split_quarters
from db.database import Database, Raw
from db.queries.reports import (
    BasketCounts,
    Clock,
    CountryRequests,
    CountryVisitors,
    PurchaseUsers,
    Scope,
)
from service.columns.store import ColumnStore


@dataclass(frozen=True, slots=True)
class Source:
    """Where a report reads: a transaction that sees one moment, and the columns of log lines."""

    db: Database
    raw: Raw
    store: ColumnStore


async def make_clock(source: Source, scope: Scope, spans: Sequence[ClockSpan], **views: Any) -> Clock:
    """Return a clock, with those views counted that its whole quarter hours do not hold."""
    others = Counter[int]()
    if split_quarters(spans):
        from service.reports.split_quarters import count_views

        others = await count_views(source.db, source.raw, source.store, scope, spans, **views)
    return Clock(spans, others)


async def add_lines(
    source: Source, scope: Scope, rows: list[CountryRequests], **pages: Any
) -> list[CountryRequests]:
    """Add the visits in parts of partial days to the requests of countries."""
    if not scope.partial_days:
        return rows
    from service.reports import partial_days

    return await partial_days.add_lines(source.db, source.raw, source.store, scope, rows, **pages)


async def count_visitors(source: Source, scope: Scope) -> list[CountryVisitors]:
    """Count the distinct addresses of each country."""
    from service.reports import partial_days

    return await partial_days.count_visitors(source.db, source.raw, source.store, scope)


async def count_opened_carts(source: Source, scope: Scope) -> tuple[int, int]:
    """Return how many carts were opened on partial days, and how many of them are paid."""
    if not scope.partial_days:
        return 0, 0
    from service.reports import carts

    return await carts.count_opened_carts(source.raw, source.store, scope)


async def count_baskets(source: Source, scope: Scope, category: str) -> BasketCounts:
    """Count the carts that were paid on partial days by the categories in them."""
    if not scope.partial_days:
        return BasketCounts()
    from service.reports import carts

    return await carts.count_baskets(source.raw, source.store, scope, category)


async def count_users(source: Source, scope: Scope) -> list[PurchaseUsers]:
    """Count users by the number of carts that they paid in the scope."""
    from service.reports import carts

    return await carts.count_users(source.raw, source.store, scope)
