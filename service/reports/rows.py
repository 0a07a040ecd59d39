"""The rows of the reports, made from what the queries count. Rows that are ranked come best first."""

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
    """`share` is of the requests whose country is known."""

    country: str
    name: str
    requests: int
    share: float


@dataclass(frozen=True, slots=True)
class VisitorCountryRow:
    """`share` is of the visitors whose country is known."""

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
    """Paid carts with both categories; as a share of all (support), of those with the asked one (confidence).

    `lift` is how many times as likely the category is in such a cart as in any.
    """

    category: str
    carts: int
    support: float
    confidence: float
    lift: float


@dataclass(frozen=True, slots=True)
class CartRow:
    carts: int
    paid: int
    unpaid: int
    unpaid_share: float


def requests_by_country(counted: Sequence[CountryRequests]) -> list[CountryRow]:
    """Most requests first, ties by the country's name."""
    total = sum(row.requests for row in counted)
    rows = [
        CountryRow(row.country, country_name(row.country), row.requests, ratio(row.requests, total))
        for row in counted
    ]
    return sorted(rows, key=lambda row: (-row.requests, row.name))


def visitors_by_country(counted: Sequence[CountryVisitors]) -> list[VisitorCountryRow]:
    """Most visitors first, ties by the country's name."""
    total = sum(row.visitors for row in counted)
    rows = [
        VisitorCountryRow(row.country, country_name(row.country), row.visitors, ratio(row.visitors, total))
        for row in counted
    ]
    return sorted(rows, key=lambda row: (-row.visitors, row.name))


def views_by_part_of_day(counted: Sequence[HourOfDayViews]) -> list[PartOfDayRow]:
    """The four parts, most views first, ties in the order of the day; none where there are no views."""
    if not counted:
        return []
    views = {row.hour_of_day: row.views for row in counted}
    hours = [views.get(hour, 0) for hour in range(24)]
    rows = [PartOfDayRow(part, begin, end, sum(hours[begin:end]), hours) for part, begin, end in PARTS_OF_DAY]
    return sorted(rows, key=lambda row: -row.views)


def bought_together(counted: Sequence[CategoryCarts]) -> list[BoughtTogetherRow]:
    return [
        BoughtTogetherRow(
            category=row.category,
            carts=row.carts,
            support=ratio(row.carts, row.carts_paid),
            confidence=ratio(row.carts, row.carts_of_category),
            lift=ratio(row.carts * row.carts_paid, row.carts_of_category * row.carts_of_other),
        )
        for row in counted
    ]


def cart_counts(counted: CartCounts) -> list[CartRow]:
    """One row; none where there are no carts."""
    if not counted.carts:
        return []
    return [CartRow(counted.carts, counted.paid, counted.unpaid, ratio(counted.unpaid, counted.carts))]


def ratio(part: int, whole: int) -> float:
    return round(part / whole, DIGITS)
