"""The rows of the reports, made from the counts of the queries. Ranked rows come best first."""

from collections.abc import Sequence
from dataclasses import dataclass

from clients.geo import country_name
from db.queries.reports import (
    CartCounts,
    CategoryCarts,
    CountryRequests,
    CountryVisitors,
    HourOfDayViews,
)

PARTS_OF_DAY = (("night", 0, 6), ("morning", 6, 12), ("day", 12, 18), ("evening", 18, 24))
DIGITS = 4  # of shares and other ratios


@dataclass(frozen=True, slots=True)
class CountryRow:
    """A country's requests. `share` is of the requests whose country is known."""

    country: str
    name: str
    requests: int
    share: float


@dataclass(frozen=True, slots=True)
class VisitorCountryRow:
    """A country's visitors. `share` is of the visitors whose country is known."""

    country: str
    name: str
    visitors: int
    share: float


@dataclass(frozen=True, slots=True)
class PartOfDayRow:
    """The views of the hours [from_hour, to_hour); `hours` are the 24 counts of the whole day."""

    part_of_day: str
    from_hour: int
    to_hour: int
    views: int
    hours: Sequence[int]


@dataclass(frozen=True, slots=True)
class BoughtTogetherRow:
    """The paid carts that hold this category and the report's.

    `support` is their share of all paid carts, `confidence` their share of those with the report's category,
    `lift` how many times as likely this category is in those as in any.
    """

    category: str
    carts: int
    support: float
    confidence: float
    lift: float


@dataclass(frozen=True, slots=True)
class CartRow:
    """`unpaid_share` is of all carts."""

    carts: int
    paid: int
    unpaid: int
    unpaid_share: float


def country_rows(counts: Sequence[CountryRequests]) -> list[CountryRow]:
    """Rank countries by requests, most first; ties by the country's name."""
    total = sum(row.requests for row in counts)
    rows = [
        CountryRow(row.country, country_name(row.country), row.requests, ratio(row.requests, total))
        for row in counts
    ]
    return sorted(rows, key=lambda row: (-row.requests, row.name))


def visitor_country_rows(counts: Sequence[CountryVisitors]) -> list[VisitorCountryRow]:
    """Rank countries by visitors, most first; ties by the country's name."""
    total = sum(row.visitors for row in counts)
    rows = [
        VisitorCountryRow(row.country, country_name(row.country), row.visitors, ratio(row.visitors, total))
        for row in counts
    ]
    return sorted(rows, key=lambda row: (-row.visitors, row.name))


def part_of_day_rows(counts: Sequence[HourOfDayViews]) -> list[PartOfDayRow]:
    """Rank the four parts of the day by views, most first; ties in their order. No views, no rows."""
    if not counts:
        return []
    views = {row.hour_of_day: row.views for row in counts}
    hours = [views.get(hour, 0) for hour in range(24)]
    rows = [PartOfDayRow(part, start, end, sum(hours[start:end]), hours) for part, start, end in PARTS_OF_DAY]
    return sorted(rows, key=lambda row: -row.views)


def bought_together_rows(counts: Sequence[CategoryCarts]) -> list[BoughtTogetherRow]:
    """Make a row of each category, in the order given."""
    return [
        BoughtTogetherRow(
            category=row.category,
            carts=row.carts,
            support=ratio(row.carts, row.carts_paid),
            confidence=ratio(row.carts, row.carts_of_category),
            lift=ratio(row.carts * row.carts_paid, row.carts_of_category * row.carts_of_other),
        )
        for row in counts
    ]


def cart_rows(counts: CartCounts) -> list[CartRow]:
    """Make the one row of all carts. No carts, no row."""
    return [cart_row(counts)] if counts.carts else []


def cart_row(counts: CartCounts) -> CartRow:
    share = ratio(counts.unpaid, counts.carts) if counts.carts else 0.0
    return CartRow(counts.carts, counts.paid, counts.unpaid, share)


def ratio(part: int, whole: int) -> float:
    return round(part / whole, DIGITS)
