"""Carts, their goods and their payments, as cart, pay and success lines add up to them."""

from typing import Any

import polars as pl
from sqlalchemy import ARRAY, BigInteger, any_, cast, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import as_arrays, execute_arrays, in_thread
from db.locks import lock_cart_rollups
from db.models import Cart, CartItem, Payment
from db.queries.cart_rollups import recounted
from db.sql import statement

IN_ORDER = ("occurred_at", "position")


async def merge_visits(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Merge newly inserted visits (columns of `visit`) into carts, items, payments and learned goods.

    Pages may come after the lines that they explain, and lines in any order.
    """
    cart_ids = visits["cart_id"].drop_nulls().unique().sort().to_list()
    if not cart_ids and (visits["kind"] != "product").all():
        return
    await lock_cart_rollups(session)
    taught = await select_taught_goods(session, visits)
    changed = [row["goods_id"] for row in taught if row["product_id"] != row["known_product_id"]]
    async with recounted(session, cart_ids=cart_ids, goods_ids=changed):
        await merge_cart_lines(session, visits)
        await learn(session, taught)


async def merge_cart_lines(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Merge visits into carts, items and payments.

    Each merge takes the first, the last or the sum, so lines may arrive in any order.
    """
    for name, arrays in await in_thread(lambda: merges_of(visits)):
        await execute_arrays(session, statement(name), arrays)


async def select_taught_goods(session: AsyncSession, visits: pl.DataFrame) -> list[dict[str, Any]]:
    """What new visits, inserted already, teach of goods: columns of `goods`, and known_product_id."""
    lines, views = await in_thread(lambda: (cart_lines_of(visits), views_of(visits)))
    # Most lines teach nothing, and most pages come after all carts: PostgreSQL need not read those.
    if not lines.is_empty():
        settled = await select_settled_goods(session, lines)
        lines = lines.filter(~pl.col("goods_id").is_in(settled))
    if not views.is_empty():
        newest = await session.scalar(select(func.max(Cart.changed_at)))
        views = views.filter(pl.col("view_at") <= pl.lit(newest, views.schema["view_at"]))
    if lines.is_empty() and views.is_empty():
        return []
    arrays = await in_thread(lambda: as_arrays(lines) | as_arrays(views))
    taught = await execute_arrays(session, statement("goods/taught_goods"), arrays)
    return [dict(row) for row in taught.mappings()]


async def select_settled_goods(session: AsyncSession, lines: pl.DataFrame) -> list[int]:
    """The goods that lines before all of these have taught already."""
    first = lines.sort(*IN_ORDER, "request_id").unique("goods_id", keep="first", maintain_order=True)
    found = await execute_arrays(
        session,
        statement("goods/settled_goods"),
        as_arrays(first.select("goods_id", *IN_ORDER, "request_id")),
    )
    return list(found.scalars())


async def replace_carts(session: AsyncSession, cart_ids: list[int], visits: pl.DataFrame) -> None:
    """Add the carts up anew, from all visits that name them. Nobody else may be writing."""
    async with recounted(session, cart_ids=cart_ids, goods_ids=[]):
        for key in (Payment.cart_id, CartItem.cart_id, Cart.id):
            await session.execute(delete(key.class_).where(key == any_(cast(cart_ids, ARRAY(BigInteger)))))
        await merge_cart_lines(session, visits)


async def learn_anew(session: AsyncSession, goods_ids: list[int]) -> None:
    """Learn goods from all visits that there are, or forget them. Nobody else may be writing."""
    found = await session.execute(statement("goods/relearn_goods"), {"goods_ids": goods_ids})
    taught = [dict(row) for row in found.mappings()]
    changed = [row["goods_id"] for row in taught if row["product_id"] != row["known_product_id"]]
    async with recounted(session, cart_ids=[], goods_ids=changed):
        await session.execute(
            text("DELETE FROM goods WHERE goods_id = ANY(CAST(:ids AS bigint[]))"), {"ids": changed}
        )
        await learn(session, [row for row in taught if row["product_id"] is not None])


async def learn(session: AsyncSession, taught: list[dict[str, Any]]) -> None:
    """Keep what goods were found to be. Nobody else learns meanwhile."""
    if taught:
        columns = {name: [row[name] for row in taught] for name in taught[0]}
        await session.execute(statement("goods/learn_goods"), columns)


def merges_of(visits: pl.DataFrame) -> list[tuple[str, dict[str, str]]]:
    """The statements that merge visits, in their order, with arrays."""
    lines = visits.filter(pl.col("cart_id").is_not_null()).sort(*IN_ORDER)
    merges = {
        "carts/merge_carts": carts_of(lines),
        "carts/add_cart_items": items_of(lines.filter(pl.col("kind") == "cart")),
        "carts/merge_payments": payments_of(lines.filter(pl.col("kind") == "success")),
    }
    return [(name, as_arrays(rows)) for name, rows in merges.items() if not rows.is_empty()]


def cart_lines_of(visits: pl.DataFrame) -> pl.DataFrame:
    lines = visits.filter(pl.col("kind") == "cart")
    return lines.select("goods_id", "address", *IN_ORDER, "request_id", "import_id")


def views_of(visits: pl.DataFrame) -> pl.DataFrame:
    """Since when which address has viewed products."""
    views = visits.filter((pl.col("kind") == "product") & pl.col("address").is_not_null())
    return views.group_by(view_address="address").agg(view_at=pl.col("occurred_at").min())


def carts_of(lines: pl.DataFrame) -> pl.DataFrame:
    """One row a cart, of lines in order."""
    pay_line = pl.col("kind") == "pay"
    return lines.group_by(id="cart_id").agg(
        address=pl.col("address").first(),
        source=pl.col("source").first(),
        opened_at=pl.col("occurred_at").first(),
        opened_position=pl.col("position").first(),
        changed_at=pl.col("occurred_at").last(),
        user_id=pl.col("user_id").filter(pay_line).last(),
        user_known_at=pl.col("occurred_at").filter(pay_line).last(),
        user_known_position=pl.col("position").filter(pay_line).last(),
    )


def items_of(cart_lines: pl.DataFrame) -> pl.DataFrame:
    amount = pl.col("amount").cast(pl.Int128).sum()  # two amounts of 2^63-1 are more than 64 bits hold
    return cart_lines.group_by("cart_id", "goods_id").agg(amount)


def payments_of(success_lines: pl.DataFrame) -> pl.DataFrame:
    return success_lines.group_by("cart_id").agg(
        paid_at=pl.col("occurred_at").first(),
        position=pl.col("position").first(),
        source=pl.col("source").first(),
    )
