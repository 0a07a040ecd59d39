"""Computes the seven reports the slow and obvious way, over visits from `read_log` or made by hand.

Tests compare the server with this oracle, which shares no code with it: no indexes, no roll-ups, no SQL.
Shares are rounded floats: compare them with a tolerance of 0.0001, as databases round an exact half the other
way.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo

from ipinfo.data import countries as country_names

from tests.support.oracle_log import (
    OracleLog,
    Reject,
    Visit,
    in_order,
    products_of_goods,
    read_log,
    with_products,
)

__all__ = [
    "Cart",
    "OracleLog",
    "Reject",
    "Scope",
    "Visit",
    "carts_of",
    "products_of_goods",
    "read_log",
    "report_1",
    "report_2",
    "report_3",
    "report_4",
    "report_5",
    "report_6",
    "report_7",
    "with_products",
]

PARTS = {"night": range(6), "morning": range(6, 12), "day": range(12, 18), "evening": range(18, 24)}
PAGE_KINDS = {"all": ("category", "product"), "category": ("category",), "product": ("product",)}

CountryOf = Callable[[str], str | None]
Report = tuple[str | int | None, list[dict[str, object]]]


@dataclass
class Cart:
    """A cart, from its lines; `paid` is the first success line, `goods` the amount of each goods_id."""

    first: Visit
    last_change: datetime
    user_id: int | None = None
    paid: Visit | None = None
    goods: Counter[int] = field(default_factory=Counter)


class Scope(TypedDict, total=False):
    """The parameters of all reports; `since` and `until` are the contract's `from` and `to`, aware."""

    since: datetime | None
    until: datetime | None
    tz: str
    source: str
    traffic: str
    limit: int


def carts_of(visits: Iterable[Visit]) -> dict[int, Cart]:
    carts: dict[int, Cart] = {}
    for visit in in_order(visits):
        if visit.cart_id is None:
            continue
        cart = carts.setdefault(visit.cart_id, Cart(visit, visit.time))
        cart.last_change = visit.time
        if visit.kind == "cart":
            cart.goods[visit.goods_id or 0] += visit.amount or 0
        elif visit.kind == "pay":
            cart.user_id = visit.user_id
        elif cart.paid is None:
            cart.paid = visit
    return carts


def in_scope(visit: Visit, scope: Scope, *, first: Visit | None = None) -> bool:
    """`first` is the first line of a cart, which says whose it is."""
    since, until, source = scope.get("since"), scope.get("until"), scope.get("source", "all")
    traffic, is_bot = scope.get("traffic", "human"), (first or visit).is_bot
    return (
        (since is None or visit.time >= since)
        and (until is None or visit.time < until)
        and (source == "all" or (visit.source == "log") == (source == "log"))
        and (traffic == "all" or is_bot == (traffic == "bot"))
    )


def payments(visits: Iterable[Visit], scope: Scope) -> list[Cart]:
    """Return the paid carts whose payment, the first success line, is in the scope."""
    return [
        cart
        for cart in carts_of(visits).values()
        if cart.paid and in_scope(cart.paid, scope, first=cart.first)
    ]


def first_of(rows: list[dict[str, object]], name: str, scope: Scope) -> Report:
    """Return `name` of the first row as the answer, and the rows up to the limit."""
    answer = rows[0][name] if rows else None
    assert answer is None or isinstance(answer, str | int)
    return answer, rows[: scope.get("limit", 10)]


def report_1(
    visits: Sequence[Visit], country_of: CountryOf, *, metric: str = "requests", **scope: Unpack[Scope]
) -> Report:
    """`share` is of all requests, or visitors, that have a country."""
    addresses: dict[str, list[str]] = {}
    for visit in visits:
        country = country_of(visit.address) if in_scope(visit, scope) else None
        if country is not None:
            addresses.setdefault(country, []).append(visit.address)
    counts = {code: len(each if metric == "requests" else set(each)) for code, each in addresses.items()}
    rows: list[dict[str, object]] = [
        {
            "country": code,
            "name": country_names.get(code, code),
            metric: count,
            "share": round(count / sum(counts.values()), 4),
        }
        for code, count in sorted(
            counts.items(), key=lambda item: (-item[1], country_names.get(item[0], item[0]))
        )
    ]
    return first_of(rows, "name", scope)


def pages_of(visits: Iterable[Visit], category: str, pages: str) -> list[Visit]:
    return [visit for visit in visits if visit.kind in PAGE_KINDS[pages] and visit.category == category]


def report_2(
    visits: Sequence[Visit],
    country_of: CountryOf,
    *,
    category: str = "fresh_fish",
    pages: str = "all",
    metric: str = "requests",
    **scope: Unpack[Scope],
) -> Report:
    return report_1(pages_of(visits, category, pages), country_of, metric=metric, **scope)


def report_3(
    visits: Sequence[Visit], *, category: str = "frozen_fish", pages: str = "category", **scope: Unpack[Scope]
) -> Report:
    """Most views first, ties in the order of the day."""
    views = [visit for visit in pages_of(visits, category, pages) if in_scope(visit, scope)]
    zone = ZoneInfo(scope.get("tz", "UTC"))
    local_hours = Counter(visit.time.astimezone(zone).hour for visit in views)
    hours = [local_hours[hour] for hour in range(24)]
    counts = {part: sum(hours[hour] for hour in span) for part, span in PARTS.items()}
    rows: list[dict[str, object]] = [
        {
            "part_of_day": part,
            "from_hour": span.start,
            "to_hour": span.stop,
            "views": counts[part],
            "hours": hours,
        }
        for part, span in sorted(PARTS.items(), key=lambda item: -counts[item[0]])
    ]
    return first_of(rows if views else [], "part_of_day", scope)


def start_of_hour(time: datetime, zone: ZoneInfo) -> datetime:
    """Step back by half minutes to where the clock shows a whole hour, or jumps."""
    step = timedelta(seconds=30)  # Monrovia's clock moved half a minute past one
    begin = time.replace(second=time.second // 30 * 30, microsecond=0)
    clock = begin.astimezone(zone).replace(tzinfo=None)
    while clock.minute or clock.second:
        before = (begin - step).astimezone(zone).replace(tzinfo=None)
        if clock - before != step:
            break
        begin, clock = begin - step, before
    return begin


def report_4(visits: Sequence[Visit], **scope: Unpack[Scope]) -> Report:
    """`hour` is the instant, aware in UTC, at which the clock hour of `tz` begins."""
    zone = ZoneInfo(scope.get("tz", "UTC"))
    hours = Counter(start_of_hour(visit.time, zone) for visit in visits if in_scope(visit, scope))
    busiest = sorted(hours.items(), key=lambda item: (-item[1], item[0]))
    return first_of([{"hour": hour, "requests": count} for hour, count in busiest], "requests", scope)


def report_5(
    visits: Sequence[Visit], *, category: str = "semi_manufactures", **scope: Unpack[Scope]
) -> Report:
    products = products_of_goods(visits)
    bought = [
        {products[goods_id][0] for goods_id in cart.goods if goods_id in products}
        for cart in payments(visits, scope)
    ]
    holding = [categories for categories in bought if category in categories]
    totals = Counter(name for categories in bought for name in categories if name is not None)
    together = Counter(name for categories in holding for name in categories if name not in {category, None})
    rows: list[dict[str, object]] = [
        {
            "category": other,
            "carts": carts,
            "support": round(carts / len(bought), 4),
            "confidence": round(carts / len(holding), 4),
            "lift": round((carts / len(holding)) / (totals[other] / len(bought)), 4),
        }
        for other, carts in sorted(together.items(), key=lambda item: (-item[1], str(item[0])))
        if other is not None
    ]
    return first_of(rows, "category", scope)


def report_6(visits: Sequence[Visit], *, min_age: int = 0, **scope: Unpack[Scope]) -> Report:
    """`min_age` in minutes before the newest of all visits; a younger unpaid cart counts in `carts` alone."""
    carts = [cart for cart in carts_of(visits).values() if in_scope(cart.first, scope)]
    if not carts:
        return 0, []
    newest = max(visit.time for visit in visits)
    paid = sum(cart.paid is not None for cart in carts)
    unpaid = sum(
        cart.paid is None and newest - cart.last_change >= timedelta(minutes=min_age) for cart in carts
    )
    share = round(unpaid / len(carts), 4)
    return unpaid, [{"carts": len(carts), "paid": paid, "unpaid": unpaid, "unpaid_share": share}]


def report_7(visits: Sequence[Visit], **scope: Unpack[Scope]) -> Report:
    bought = Counter(cart.user_id for cart in payments(visits, scope) if cart.user_id is not None)
    users = Counter(bought.values())
    rows: list[dict[str, object]] = [
        {"purchases": purchases, "users": users[purchases]} for purchases in sorted(users)
    ]
    again = sum(count for purchases, count in users.items() if purchases > 1)
    return again, rows[: scope.get("limit", 10)]
