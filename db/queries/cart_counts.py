"""Counts carts in memory for their roll-ups, as db.queries.cart_rollups counts stored ones in SQL."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from calendar_days import EPOCH
from db.columns import Values
from db.frames import (
    NO_NUMBER,
    Frame,
    Texts,
    concatenate,
    days_of,
    find_rows,
    group_rows,
    height,
    take,
    texts_of,
)
from db.queries.cart_rollups import PURCHASES, Changes, Key
from db.rollup_counts import count_groups

BUYER = ("paid_at", "user_id", "is_live", "is_bot")


@dataclass(frozen=True, slots=True)
class CartCounts:
    """What some carts count for.

    :param carts: by roll-up and key in it
    :param buyers: a row for each paid cart whose user is known, with the columns BUYER
    """

    carts: Counter[tuple[str, Key]]
    buyers: Frame

    def nothing(self) -> "CartCounts":
        """Return what no carts count for."""
        return CartCounts(Counter(), {name: column[:0] for name, column in self.buyers.items()})


def count_carts(carts: Frame, payments: Frame, paid_items: Frame, categories: Frame) -> CartCounts:
    """Count carts.

    :param carts: columns id, source, is_bot, opened_at, user_id
    :param payments: of some of them: columns cart_id, source, paid_at
    :param paid_items: goods in paid carts, columns cart_id, goods_id
    :param categories: of goods whose product is known, columns goods_id, category_id
    """
    counts: Counter[tuple[str, Key]] = Counter()
    cart_rows = find_rows(payments["cart_id"], carts["id"])
    is_paid = np.zeros(height(carts), np.bool_)
    is_paid[cart_rows] = True
    source, names = number_texts(carts["source"])
    opened = count_groups(days_of(carts["opened_at"]), source, is_paid.astype(np.int64), carts["is_bot"])
    for day, place, paid, bot, number in rows_of(opened):
        counts["cart_day", (midnight_of(day), names[place], bool(paid), bool(bot))] += number

    source, names = number_texts(payments["source"])
    paid_on, is_bot = days_of(payments["paid_at"]), carts["is_bot"][cart_rows]
    for day, place, bot, number in rows_of(count_groups(paid_on, source, is_bot)):
        counts["payment_day", (midnight_of(day), names[place], bool(bot))] += number

    held, category = categories_of(paid_items, categories)
    rows = find_rows(held, payments["cart_id"])
    held, category, rows = held[rows >= 0], category[rows >= 0], rows[rows >= 0]
    dated = count_groups(category, paid_on[rows], source[rows], is_bot[rows])
    for category_id, day, place, bot, number in rows_of(dated):
        counts["paid_category_day", (category_id, midnight_of(day), names[place], bool(bot))] += number

    one, other = pairs_within(held)
    row = rows[one]
    pairs = count_groups(category[one], paid_on[row], source[row], category[other], is_bot[row])
    for category_id, day, place, other_id, bot, number in rows_of(pairs):
        counts["paid_pair_day", (category_id, midnight_of(day), names[place], other_id, bool(bot))] += number

    bought = {
        "paid_at": payments["paid_at"],
        "user_id": carts["user_id"][cart_rows],
        "is_live": payments["source"] != "log",
        "is_bot": is_bot,
    }
    return CartCounts(counts, take(bought, bought["user_id"] != NO_NUMBER))


def number_texts(texts: Texts) -> tuple[Values, Texts]:
    """Return the number of each text, and the text of each number."""
    values = texts.tolist()
    distinct = dict.fromkeys(values)
    places = {text: place for place, text in enumerate(distinct)}
    return np.array([places[text] for text in values], np.int64), texts_of(distinct)


def rows_of(columns: Sequence[Values]) -> Iterator[tuple[int, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)


def midnight_of(day: int) -> datetime:
    return EPOCH + timedelta(days=day)


def categories_of(items: Frame, categories: Frame) -> tuple[Values, Values]:
    """Return the categories in each cart: carts, in order, and categories, each pair once."""
    rows = find_rows(items["goods_id"], categories["goods_id"])
    is_known = rows >= 0
    held, category, _ = count_groups(items["cart_id"][is_known], categories["category_id"][rows[is_known]])
    return held, category


def pairs_within(groups: Values) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all pairs of two rows of one group, in both orders. Equal groups stand together."""
    order, starts = group_rows(groups)
    sizes = np.diff(np.append(starts, len(order)))
    others = np.repeat(sizes, sizes)  # of each row's group
    one = np.repeat(order, others)
    begins = np.repeat(starts, sizes) - (np.cumsum(others) - others)
    other = np.arange(len(one)) + np.repeat(begins, others)
    differ = one != other
    return one[differ], other[differ]


def changes_between(before: CartCounts, after: CartCounts) -> Changes:
    """Return by how much roll-ups change when carts change."""
    counts = after.carts.copy()
    counts.subtract(before.carts)
    changes = Changes()
    changes.add(counts)
    both = concatenate([before.buyers, after.buyers])
    number = np.ones(height(both), np.int64)
    number[: height(before.buyers)] = -1
    order, starts = group_rows(*(both[name] for name in BUYER))
    if not len(starts):
        return changes
    number = np.add.reduceat(number[order], starts)
    rows = take(both, order[starts][number != 0])
    number = number[number != 0]
    user_ids, places = np.unique(rows["user_id"], return_inverse=True)
    carts = np.zeros((len(user_ids), len(PURCHASES)), np.int64)
    np.add.at(carts, (places, 2 * rows["is_bot"] + rows["is_live"]), number)
    changes.buyers.update(zip(user_ids.tolist(), carts.tolist(), strict=True))
    return changes
