"""Counts carts in memory for their roll-ups, as db.queries.cart_rollups counts stored ones in SQL."""

from collections import Counter
from dataclasses import dataclass

import polars as pl

from db.queries.cart_rollups import PURCHASES, Changes, Key

BUYER = ("paid_at", "user_id", "source", "is_bot")


@dataclass(frozen=True, slots=True)
class CartCounts:
    """What some carts count for.

    :param carts: by roll-up and key in it
    :param buyers: a row for each paid cart whose user is known, with the columns BUYER
    """

    carts: Counter[tuple[str, Key]]
    buyers: pl.DataFrame


def count_carts(
    carts: pl.DataFrame, payments: pl.DataFrame, paid_items: pl.DataFrame, categories: pl.DataFrame
) -> CartCounts:
    """Count carts.

    :param carts: columns id, source, is_bot, opened_at, user_id
    :param payments: columns cart_id, source, paid_at
    :param paid_items: goods in paid carts, columns cart_id, goods_id
    :param categories: of goods whose product is known, columns goods_id, category_id
    """
    counts: Counter[tuple[str, Key]] = Counter()
    paid = payments.select("cart_id", "source", "paid_at", day=pl.col("paid_at").dt.truncate("1d"))
    paid = paid.join(carts.select("user_id", "is_bot", cart_id="id"), on="cart_id")
    opened = carts.select(
        "source",
        "is_bot",
        day=pl.col("opened_at").dt.truncate("1d"),
        is_paid=pl.col("id").is_in(payments["cart_id"].implode()),
    )
    for *key, number in opened.group_by("day", "source", "is_paid", "is_bot").len().iter_rows():
        counts["cart_day", tuple(key)] += number
    for *key, number in paid.group_by("day", "source", "is_bot").len().iter_rows():
        counts["payment_day", tuple(key)] += number
    held = paid_items.join(categories, on="goods_id").select("cart_id", "category_id").unique()
    dated = held.join(paid, on="cart_id")
    for *key, number in dated.group_by("category_id", "day", "source", "is_bot").len().iter_rows():
        counts["paid_category_day", tuple(key)] += number
    pairs = dated.join(held.rename({"category_id": "other_id"}), on="cart_id")
    pairs = pairs.filter(pl.col("category_id") != pl.col("other_id"))
    for *key, number in (
        pairs.group_by("category_id", "day", "source", "other_id", "is_bot").len().iter_rows()
    ):
        counts["paid_pair_day", tuple(key)] += number
    return CartCounts(counts, paid.drop_nulls("user_id").select(BUYER))


def changes_between(before: CartCounts, after: CartCounts) -> Changes:
    """Return by how much roll-ups change when carts change."""
    counts = after.carts.copy()
    counts.subtract(before.carts)
    changes = Changes()
    changes.add(counts)
    rows = pl.concat(
        [after.buyers.with_columns(carts=pl.lit(1)), before.buyers.with_columns(carts=pl.lit(-1))]
    )
    rows = rows.group_by(BUYER).agg(pl.col("carts").sum()).filter(pl.col("carts") != 0)
    changes.days.update(rows["paid_at"].dt.truncate("1d").unique())
    is_live = pl.col("source") != "log"
    columns = [
        pl.col("carts").filter((is_live == live) & (pl.col("is_bot") == bot)).sum().alias(name)
        for name, (bot, live) in zip(PURCHASES, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True)
    ]
    for user_id, *carts in rows.group_by("user_id").agg(columns).iter_rows():
        changes.buyers[user_id] = carts
    return changes
