"""Carts of periods within days, counted on columns of days, which are kept while the version stands."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np

from calendar_days import microseconds
from db.database import Raw
from db.part_cache import PartCache
from db.part_files import Array
from db.queries.cart_days import (
    Baskets,
    CartColumns,
    OpenedCarts,
    select_baskets,
    select_cart_days,
    select_opened_carts,
)
from db.queries.reports import BasketCounts
from db.read_threads import Waiting, run_while_awaited

MAX_BYTES = 32 * 1024 * 1024
OVERHEAD = 1000  # bytes of a day beside its arrays

Period = tuple[datetime, datetime]
Day = TypeVar("Day", bound=CartColumns)


@dataclass(frozen=True, slots=True)
class CartFilter:
    """Carts of periods. `is_live` and `is_bot` are None where both count."""

    periods: Sequence[Period]
    is_live: bool | None
    is_bot: bool | None

    def places(self, columns: CartColumns) -> Iterator[Array]:
        """Yield the places of those that count, by period."""
        for period in self.periods:
            begin, end = np.searchsorted(columns.at, [microseconds(each) for each in period]).tolist()
            counts = np.ones(end - begin, np.bool_)
            if self.is_live is not None:
                counts &= columns.is_live[begin:end] == self.is_live
            if self.is_bot is not None:
                counts &= columns.is_bot[begin:end] == self.is_bot
            yield np.flatnonzero(counts) + begin


class CartDayStore:
    """The days that a process has read, the least recently used of which are dropped."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._days = PartCache(max_bytes)

    async def read(
        self, raw: Raw, periods: Sequence[Period], select: Callable[[Raw, datetime], Awaitable[Day]]
    ) -> list[Day]:
        """Return the columns of the days that periods overlap."""
        days = []
        for day, version in sorted(
            {each for period in periods for each in await select_cart_days(raw, *period)}
        ):
            columns: Day | None = self._days.get((select, version))
            if columns is None:
                columns = await select(raw, day)
                size = sum(each.nbytes for each in astuple(columns))
                self._days.put((select, version), columns, size + OVERHEAD)
            days.append(columns)
        return days


async def count_opened_carts(raw: Raw, store: CartDayStore, cart_filter: CartFilter) -> tuple[int, int]:
    """Return how many carts were opened, and how many of them are paid."""
    days = await store.read(raw, cart_filter.periods, select_opened_carts)
    return await run_while_awaited(lambda waiting: count_paid(days, cart_filter, waiting))


def count_paid(days: Sequence[OpenedCarts], cart_filter: CartFilter, waiting: Waiting) -> tuple[int, int]:
    """Return how many carts a filter lets through, and how many of them are paid, in a thread."""
    carts = paid = 0
    for day in days:
        waiting.check()
        for places in cart_filter.places(day):
            carts += len(places)
            paid += int(day.is_paid[places].sum())
    return carts, paid


async def count_baskets(
    raw: Raw, store: CartDayStore, cart_filter: CartFilter, category_id: int | None
) -> BasketCounts:
    """Count paid carts by the categories in them.

    :param category_id: of the category asked for; None if it is not known
    """
    days = await store.read(raw, cart_filter.periods, select_baskets)
    return await run_while_awaited(
        lambda waiting: count_categories_of_carts(days, cart_filter, category_id, waiting)
    )


def count_categories_of_carts(
    days: Sequence[Baskets], cart_filter: CartFilter, category_id: int | None, waiting: Waiting
) -> BasketCounts:
    """Count the carts that a filter lets through by category, and those with the category by the others."""
    paid, holding, together = 0, Counter[int](), Counter[int]()
    for day in days:
        waiting.check()
        for places in cart_filter.places(day):
            chosen = np.zeros(len(day.at), np.bool_)
            chosen[places] = True
            paid += len(places)
            holding.update(count_categories(day, chosen))
            has_category = np.zeros(len(day.at), np.bool_)
            has_category[day.place[day.category_id == category_id]] = True
            together.update(count_categories(day, chosen & has_category))
    together.pop(category_id or 0, None)
    return BasketCounts(paid, holding, together)


def count_categories(day: Baskets, chosen: Array) -> dict[int, int]:
    """Count the carts at chosen places by the categories in them."""
    carts = np.bincount(day.category_id[chosen[day.place]])
    return {category_id: int(carts[category_id]) for category_id in np.flatnonzero(carts).tolist()}
