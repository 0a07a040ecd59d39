"""The queries of the reports. Each runs the .sql file of its name and returns the rows that it selects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asyncpg import Connection, Record

from calendar_days import ClockSpan
from db.queries.names import name_digest
from db.sql import raw_statement

Raw = Connection  # asyncpg's, within a transaction
LOG = "log"
NEWEST = "SELECT greatest((SELECT max(last_at) FROM visit_part), (SELECT max(occurred_at) FROM live_visit))"

# min and max are read at the ends of an index; EXISTS would be planned as if a row were found soon.
HOLDS_ALL = """
    SELECT (SELECT min(paid_at) FROM payment) >= $1 AND (SELECT max(paid_at) FROM payment) < $2
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows a report counts: those of [since, until) from one of the sources (values of visit.source).

    `bots` are the values of is_bot that count.

    [first_day, last_day) are the whole UTC days within the bounds. Where there are none, both are `since`.
    `as_of` is the newest visit's time.
    """

    since: datetime
    until: datetime
    first_day: datetime
    last_day: datetime
    sources: Sequence[str]
    as_of: datetime
    bots: Sequence[bool]

    @property
    def is_bot(self) -> bool | None:
        """The value of is_bot that counts; None if both do."""
        return self.bots[0] if len(self.bots) == 1 else None

    @property
    def is_live(self) -> bool | None:
        """Whether live visits count, or those of logs; None if both do."""
        has_log, has_live = LOG in self.sources, bool(set(self.sources) - {LOG})
        return None if has_log and has_live else has_live

    @property
    def partial_days(self) -> list[tuple[datetime, datetime]]:
        """Return the periods of the scope that are not whole days."""
        ends = ((self.since, self.first_day), (self.last_day, self.until))
        return [(since, until) for since, until in ends if since < until]

    def parameters(self) -> dict[str, Any]:
        return {"since": self.since, "until": self.until, "sources": self.sources, "bots": self.bots}

    def day_parameters(self) -> dict[str, Any]:
        return {**self.parameters(), "first_day": self.first_day, "last_day": self.last_day}


@dataclass(frozen=True, slots=True)
class Clock:
    """How a zone's clock goes in a scope, from before its first hour on.

    :param others: the views in quarter hours that are not whole in a span, by the hour that they count for
    """

    spans: Sequence[ClockSpan]
    others: Mapping[int, int]

    def parameters(self) -> dict[str, Any]:
        return {
            "begins": [span.begin for span in self.spans],
            "firsts": [span.quarters[0] for span in self.spans],
            "lasts": [span.quarters[1] for span in self.spans],
            "ahead": [span.ahead for span in self.spans],
            "other_hours": list(self.others.keys()),
            "other_counts": list(self.others.values()),
        }


@dataclass(frozen=True, slots=True)
class CountryRequests:
    country: str
    requests: int


@dataclass(frozen=True, slots=True)
class CountryVisitors:
    country: str
    visitors: int


@dataclass(frozen=True, slots=True)
class HourOfDayViews:
    hour_of_day: int
    views: int


@dataclass(frozen=True, slots=True)
class HourRequests:
    hour: datetime
    requests: int


@dataclass(frozen=True, slots=True)
class CategoryCarts:
    """Counts of paid carts. `carts` hold this category and the report's; `carts_paid` are all."""

    category: str
    carts: int
    carts_of_other: int
    carts_of_category: int
    carts_paid: int


@dataclass(frozen=True, slots=True)
class BasketCounts:
    """Paid carts of partial days: all; those that hold a category; those that hold it and the report's."""

    paid: int = 0
    holding: Mapping[int, int] = field(default_factory=dict)
    together: Mapping[int, int] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        return {
            "other_paid": self.paid,
            "holding_ids": list(self.holding.keys()),
            "holding_carts": list(self.holding.values()),
            "together_ids": list(self.together.keys()),
            "together_carts": list(self.together.values()),
        }


@dataclass(frozen=True, slots=True)
class CartCounts:
    carts: int
    paid: int
    unpaid: int


@dataclass(frozen=True, slots=True)
class PurchaseUsers:
    purchases: int
    users: int


async def select_newest_visit_time(raw: Raw) -> datetime | None:
    """Return the time of the newest visit; None if there is none."""
    newest: datetime | None = await raw.fetchval(NEWEST)
    return newest


async def select_rows(raw: Raw, name: str, parameters: Mapping[str, Any]) -> list[Record]:
    """Run the .sql file of a name."""
    sql, names = raw_statement(name)
    rows: list[Record] = await raw.fetch(sql, *(parameters[each] for each in names))
    return rows


async def select_top_countries(raw: Raw, scope: Scope) -> list[CountryRequests]:
    rows = await select_rows(raw, "reports/top_countries", scope.day_parameters())
    return [CountryRequests(*row) for row in rows]


async def select_category_countries(
    raw: Raw, scope: Scope, category: str, kinds: Sequence[str]
) -> list[CountryRequests]:
    pages = {"category": name_digest(category), "kinds": kinds}
    rows = await select_rows(raw, "reports/category_countries", scope.day_parameters() | pages)
    return [CountryRequests(*row) for row in rows]


async def select_category_hours(
    raw: Raw, scope: Scope, category: str, kinds: Sequence[str], clock: Clock
) -> list[HourOfDayViews]:
    """Count views by hour of the day. Hours without views are left out."""
    pages = {"category": name_digest(category), "kinds": kinds}
    rows = await select_rows(raw, "reports/category_hours", scope.parameters() | pages | clock.parameters())
    return [HourOfDayViews(*row) for row in rows]


async def select_busiest_hours(raw: Raw, scope: Scope, clock: Clock, limit: int) -> list[HourRequests]:
    """Count requests by clock hour."""
    values = scope.parameters() | clock.parameters() | {"limit": limit}
    rows = await select_rows(raw, "reports/busiest_hours", values)
    return [HourRequests(*row) for row in rows]


async def select_bought_together(
    raw: Raw, scope: Scope, category: str, others: BasketCounts, limit: int
) -> list[CategoryCarts]:
    """Count paid carts by the categories beside one in them.

    :param others: those of partial days
    """
    values = scope.day_parameters() | others.parameters()
    rows = await select_rows(
        raw, "reports/bought_together", values | {"category": name_digest(category), "limit": limit}
    )
    return [CategoryCarts(*row) for row in rows]


async def select_unpaid_carts(
    raw: Raw, scope: Scope, unchanged_since: datetime, others: tuple[int, int]
) -> CartCounts:
    """Count opened carts. Those that have changed since count as not unpaid.

    :param others: the carts of partial days, and how many of them are paid
    """
    rows = await select_rows(
        raw, "reports/unpaid_carts", scope.day_parameters() | {"unchanged_since": unchanged_since}
    )
    carts, paid, young = rows[0]
    carts, paid = carts + others[0], paid + others[1]
    return CartCounts(carts, paid, carts - paid - young)


async def holds_all_payments(raw: Raw, since: datetime, until: datetime) -> bool:
    """Return whether all payments lie in [since, until)."""
    return bool(await raw.fetchval(HOLDS_ALL, since, until))


async def select_repeat_purchases(raw: Raw, source: str, traffic: str) -> list[PurchaseUsers]:
    """Count users by the number of all their purchases.

    :param source: all, log or api
    :param traffic: names whose they are: human, bot or all
    """
    rows = await select_rows(raw, "reports/repeat_purchases", {"source": source, "traffic": traffic})
    return [PurchaseUsers(*row) for row in rows]
