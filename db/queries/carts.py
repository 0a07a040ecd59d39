"""Carts, their goods and their payments, as cart, pay and success lines add up to them."""

from decimal import Decimal

import polars as pl
from sqlalchemy.ext.asyncio import AsyncSession

from db.frames import as_arrays
from db.sql import statement

IN_ORDER = ("occurred_at", "position")


async def merge_cart_lines(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Merge newly inserted visits (columns of `visit`) into carts, items, payments and learned goods.

    Each merge takes the first, the last or the sum, so lines may arrive in any order.
    """
    lines = visits.filter(pl.col("cart_id").is_not_null()).sort(*IN_ORDER)
    if lines.is_empty():
        return
    await session.execute(statement("merge_carts"), as_arrays(carts_of(lines)))
    cart_lines = lines.filter(pl.col("kind") == "cart")
    if not cart_lines.is_empty():
        await session.execute(statement("add_cart_items"), items_of(cart_lines))
        learnable = cart_lines.select("goods_id", "address", *IN_ORDER)
        await session.execute(statement("learn_goods"), as_arrays(learnable))
    success_lines = lines.filter(pl.col("kind") == "success")
    if not success_lines.is_empty():
        await session.execute(statement("merge_payments"), as_arrays(payments_of(success_lines)))


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


def items_of(cart_lines: pl.DataFrame) -> dict[str, list[int] | list[Decimal]]:
    amount = pl.col("amount").cast(pl.Int128).sum()  # two amounts of 2^63-1 are more than 64 bits hold
    items = cart_lines.group_by("cart_id", "goods_id").agg(amount)
    return as_arrays(items) | {"amount": [Decimal(total) for total in items["amount"]]}


def payments_of(success_lines: pl.DataFrame) -> pl.DataFrame:
    return success_lines.group_by("cart_id").agg(
        paid_at=pl.col("occurred_at").first(),
        position=pl.col("position").first(),
        source=pl.col("source").first(),
    )
