"""Carts of new lines: those that no stored line names are counted and copied, the others are merged."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from db.binary_copy import as_copy, as_inet, as_numeric
from db.bulk import copy_rows
from db.database import raw_connection
from db.locks import lock_cart_rollups
from db.queries import cart_rollups
from db.queries.cart_frames import make_frame
from db.queries.cart_rollups import Counts, add_changes
from db.queries.carts import carts_of, items_of, merge_cart_lines, payments_of
from db.queries.goods import new_visits_of_part, select_inferred_goods, upsert_goods
from db.queries.goods_inference import InferredGoods
from db.queries.part_columns import Columns, PartSpan
from db.queries.part_lines import PartLines, ProductPages, lines_of, product_pages_of, remember
from db.threads import run_in_thread

IN_ORDER = ("occurred_at", "position")
GOODS_CATEGORIES = """
    SELECT goods.goods_id, product.category_id
    FROM goods INNER JOIN product ON goods.product_id = product.id
    WHERE goods.goods_id = ANY(CAST(CAST($1 AS text) AS bigint[]))
"""


@dataclass(frozen=True, slots=True)
class CartLines:
    """The lines of a part that name carts, and what they add up to as long as no stored line names these.

    :param lines: in order, with the columns of db.queries.cart_frames.NAMES
    :param pages: the views of products, from which goods are inferred
    """

    part_lines: PartLines
    pages: ProductPages
    lines: pl.DataFrame
    carts: pl.DataFrame
    items: pl.DataFrame
    payments: pl.DataFrame

    def without(self, cart_ids: list[int]) -> "CartLines":
        """Return the same without some carts; `lines` keeps them."""
        if not cart_ids:
            return self
        ids = pl.Series(cart_ids, dtype=pl.Int64).implode()
        return replace(
            self,
            carts=self.carts.filter(~pl.col("id").is_in(ids)),
            items=self.items.filter(~pl.col("cart_id").is_in(ids)),
            payments=self.payments.filter(~pl.col("cart_id").is_in(ids)),
        )


def cart_lines_of(
    columns: Columns, addresses: Mapping[int, str], is_bot: NDArray[np.bool_] | None
) -> CartLines:
    """Add up the lines of a part that is about to be stored.

    :param addresses: those of its visits by id
    :param is_bot: which of its visits are of bots; None if none is
    """
    part_lines = lines_of(columns)
    bots = None if is_bot is None else is_bot[np.flatnonzero(columns["cart_id"])]
    lines = make_frame(part_lines, addresses, bots).sort(*IN_ORDER)
    return CartLines(
        part_lines,
        product_pages_of(columns),
        lines,
        carts_of(lines).sort("id"),
        items_of(lines.filter(pl.col("kind") == "cart")).sort("cart_id", "goods_id"),
        payments_of(lines.filter(pl.col("kind") == "success")).sort("cart_id"),
    )


async def merge_part(session: AsyncSession, span: PartSpan, lines: CartLines) -> None:
    """Merge a newly inserted part into carts, items and payments, and infer goods from it."""
    remember(span, lines.part_lines)
    remember(span, lines.pages)
    if len(lines.part_lines) or len(lines.pages):
        new = await run_in_thread(lambda: new_visits_of_part(span, lines.part_lines, lines.pages))
        await lock_cart_rollups(session)
        goods = await select_inferred_goods(session, new)
        await add_cart_lines(session, lines, goods)


async def add_cart_lines(session: AsyncSession, lines: CartLines, goods: Sequence[InferredGoods]) -> None:
    """Add newly stored lines of carts to carts, items and payments; store the goods inferred from them.

    The caller holds the lock of cart roll-ups.
    """
    stored_ids = await select_stored_carts(session, lines.carts["id"].to_list())
    changed_goods = [each.goods_id for each in goods if each.product_id != each.old_product_id]
    changes: Counts = Counter()
    if stored_ids or changed_goods:
        before = await cart_rollups.count_carts(session, stored_ids, changed_goods)
        is_stored = pl.col("cart_id").is_in(stored_ids)
        await merge_cart_lines(session, lines.lines.filter(is_stored))
        await upsert_goods(session, goods)
        changes = await cart_rollups.count_carts(session, stored_ids, changed_goods)
        changes.subtract(before)
    else:
        await upsert_goods(session, goods)
    new = await run_in_thread(lambda: lines.without(stored_ids))
    if not new.carts.is_empty():
        changes.update(await insert_carts(session, new))
    await add_changes(session, {key: carts for key, carts in changes.items() if carts})


async def select_stored_carts(session: AsyncSession, cart_ids: list[int]) -> list[int]:
    """Return which of the carts are stored."""
    if not cart_ids:
        return []
    raw = await raw_connection(session)
    literal = f"{{{','.join(map(str, cart_ids))}}}"
    ids: list[int] = await raw.fetchval(
        "SELECT coalesce(array_agg(id), '{}') FROM cart WHERE id = ANY(CAST(CAST($1 AS text) AS bigint[]))",
        literal,
    )
    return ids


async def insert_carts(session: AsyncSession, lines: CartLines) -> Counts:
    """Insert carts that are not stored. Return what they count for, which is counted meanwhile."""
    carts, items, payments = lines.carts, lines.items, lines.payments
    paid = await run_in_thread(lambda: items.join(payments, on="cart_id").select("cart_id", "goods_id"))
    categories = await select_categories(session, paid["goods_id"].unique().to_list())
    counting = asyncio.create_task(run_in_thread(lambda: count_carts(carts, payments, paid, categories)))
    try:
        pieces = await run_in_thread(
            lambda: (
                as_copy(carts.with_columns(as_inet(carts["address"]))),
                as_copy(items.with_columns(as_numeric(items["amount"]))),
                as_copy(payments),
            )
        )
        for table, frame, encoded in zip(
            ("cart", "cart_item", "payment"), (carts, items, payments), pieces, strict=True
        ):
            if not frame.is_empty():
                await copy_rows(session, table, frame.columns, encoded)
    finally:
        counts = await counting
    return counts


async def select_categories(session: AsyncSession, goods_ids: list[int]) -> pl.DataFrame:
    """Return the categories of those goods whose product is known: columns goods_id, category_id."""
    rows = []
    if goods_ids:
        raw = await raw_connection(session)
        rows = await raw.fetch(GOODS_CATEGORIES, f"{{{','.join(map(str, goods_ids))}}}")
    schema = {"goods_id": pl.Int64, "category_id": pl.Int32}
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")


def count_carts(
    carts: pl.DataFrame, payments: pl.DataFrame, paid_items: pl.DataFrame, categories: pl.DataFrame
) -> Counts:
    """Return what the carts count for, as db.queries.cart_rollups counts them in SQL."""
    counts: Counts = Counter()
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
    buyers = paid.drop_nulls("user_id")
    for *key, number in buyers.group_by("paid_at", "user_id", "source", "is_bot").len().iter_rows():
        counts["buyer", tuple(key)] += number
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
    return counts
