"""Carts of periods within days, counted on columns of days, which are kept while the version stands."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from calendar_days import DAY, FIRST_TIME, LAST_TIME, microseconds
from db.cart_day_files import KINDS, CartColumns, OpenedCarts, PaidCarts, token_of
from db.column_files import ColumnFiles
from db.database import Database, Raw
from db.part_files import Array
from db.queries.cart_days import select_cart_days, select_carts
from db.queries.reports import BasketCounts
from db.read_threads import Waiting, run_while_awaited

NEWEST = 2  # days with carts that change too often to be read before somebody asks

Period = tuple[datetime, datetime]
Files = ColumnFiles[CartColumns]


@dataclass(frozen=True, slots=True)
class CartFilter:
    """Carts of periods. `is_live` and `is_bot` are None where both count."""

    periods: Sequence[Period]
    is_live: bool | None
    is_bot: bool | None

    def masks(self, columns: CartColumns) -> Iterator[Array]:
        """Yield which carts count, by period."""
        for since, until in self.periods:
            counts = (columns.at >= microseconds(since)) & (columns.at < microseconds(until))
            if self.is_live is not None:
                counts &= columns.is_live == self.is_live
            if self.is_bot is not None:
                counts &= columns.is_bot == self.is_bot
            yield counts


async def read_days(raw: Raw, files: Files, periods: Sequence[Period], kind: str) -> list[Any]:
    """Return the carts of the days that periods overlap, those that were opened or those that were paid."""
    days = {each for period in periods for each in await select_cart_days(raw, *period)}
    tokens = {day: token_of(version, kind) for day, version in sorted(days)}
    columns = files.peek(tokens.values())
    if len(columns) < len(tokens):
        columns = await run_while_awaited(lambda _: files.get_all(tokens.values()))
    for day, token in tokens.items():
        if token not in columns:
            carts = await select_carts(raw, day, kind)
            columns[token] = await run_while_awaited(partial(put, files, token, carts))
    return [columns[token] for token in tokens.values()]


def put(files: Files, token: Any, carts: CartColumns, _: Waiting) -> CartColumns:
    return files.put(token, carts)


async def read_other_days(db: Database, files: Files, kinds: Collection[str]) -> None:
    """Write the files of days that nobody has asked for yet, and delete those of days that have changed.

    It takes half of the time at most, and ends where the files take most of their space.
    """
    async with db.raw_snapshot() as raw:
        days = await select_cart_days(raw, FIRST_TIME, LAST_TIME)
    every = {token_of(version, kind) for _, version in days for kind in KINDS}
    await run_while_awaited(lambda _: files.drop_all_but(every))
    tokens = {token_of(version, kind): (day, kind) for day, version in days[:-NEWEST] for kind in kinds}
    for token in await run_while_awaited(lambda _: files.missing(tokens)):
        day, kind = tokens[token]
        start = time.perf_counter()
        async with db.raw_snapshot() as raw:
            await read_days(raw, files, [(day, day + DAY)], kind)
        await asyncio.sleep(time.perf_counter() - start)


async def count_opened_carts(raw: Raw, files: Files, cart_filter: CartFilter) -> tuple[int, int]:
    """Return how many carts were opened, and how many of them are paid."""
    days = await read_days(raw, files, cart_filter.periods, OpenedCarts.kind)
    return await run_while_awaited(lambda waiting: count_paid(days, cart_filter, waiting))


def count_paid(days: Sequence[OpenedCarts], cart_filter: CartFilter, waiting: Waiting) -> tuple[int, int]:
    """Return how many carts a filter lets through, and how many of them are paid, in a thread."""
    carts = paid = 0
    for day in days:
        waiting.check()
        for counts in cart_filter.masks(day):
            carts += int(np.count_nonzero(counts))
            paid += int(np.count_nonzero(counts & day.is_paid))
    return carts, paid


async def count_baskets(
    raw: Raw, files: Files, cart_filter: CartFilter, category_id: int | None
) -> BasketCounts:
    """Count paid carts by the categories in them.

    :param category_id: of the category asked for; None if it is not known
    """
    days = await read_days(raw, files, cart_filter.periods, PaidCarts.kind)
    return await run_while_awaited(
        lambda waiting: count_categories_of_carts(days, cart_filter, category_id, waiting)
    )


def count_categories_of_carts(
    days: Sequence[PaidCarts], cart_filter: CartFilter, category_id: int | None, waiting: Waiting
) -> BasketCounts:
    """Count the carts that a filter lets through by category, and those with the category by the others."""
    paid, holding, together = 0, Counter[int](), Counter[int]()
    for day in days:
        waiting.check()
        for counts in cart_filter.masks(day):
            paid += int(np.count_nonzero(counts))
            holding.update(count_categories(day, counts))
            has_category = np.zeros(len(day.at), np.bool_)
            has_category[day.place[day.category_id == category_id]] = True
            together.update(count_categories(day, counts & has_category))
    together.pop(category_id or 0, None)
    return BasketCounts(paid, holding, together)


def count_categories(day: PaidCarts, chosen: Array) -> dict[int, int]:
    """Count the chosen carts by the categories in them."""
    carts = np.bincount(day.category_id[chosen[day.place]])
    return {category_id: int(carts[category_id]) for category_id in np.flatnonzero(carts).tolist()}


async def count_purchases(raw: Raw, files: Files, cart_filter: CartFilter) -> list[tuple[int, int]]:
    """Return how many users paid for so many carts, by that number."""
    days = await read_days(raw, files, cart_filter.periods, PaidCarts.kind)
    return await run_while_awaited(lambda waiting: count_users(days, cart_filter, waiting))


def count_users(
    days: Sequence[PaidCarts], cart_filter: CartFilter, waiting: Waiting
) -> list[tuple[int, int]]:
    """Return how many users paid for so many carts, by that number, in a thread."""
    pieces = [np.empty(0, np.int64)]
    for day in days:
        waiting.check()
        pieces += [day.user_id[counts & day.has_user] for counts in cart_filter.masks(day)]
    users = np.sort(np.concatenate(pieces), kind="stable")  # merges what is in order: those of each day are
    ends = np.flatnonzero(np.append(users[1:] != users[:-1], [True] * bool(len(users))))
    users_of = np.bincount(np.diff(ends, prepend=-1))
    return [(carts, int(users_of[carts])) for carts in np.flatnonzero(users_of).tolist()]
