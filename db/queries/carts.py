"""Carts, their goods and their payments, as cart, pay and success lines add up to them."""

from collections.abc import Container, Sequence

import numpy as np
import polars as pl
from sqlalchemy import ARRAY, BigInteger, any_, cast, delete
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import array_literals, execute_with_arrays
from db.columns import Values
from db.locks import lock_cart_rollups
from db.models import Cart, CartItem, Payment
from db.queries.cart_frames import (
    live_frame,
    select_cart_visits,
    select_live_carts,
)
from db.queries.cart_rollups import rollup_changes, subtract_counts
from db.queries.goods import (
    NewVisits,
    new_live_visits,
    select_inferred_goods,
    upsert_goods,
)
from db.queries.live_visits import LiveRow
from db.queries.part_columns import PartSpan
from db.sql import statement
from db.threads import run_in_thread

CART, CART_ITEM, PAYMENT = (model.__table__ for model in (Cart, CartItem, Payment))
IN_ORDER = ("occurred_at", "position")


async def merge_live_visits(session: AsyncSession, rows: Sequence[LiveRow], bots: Container[str]) -> None:
    """Merge newly inserted live visits into carts, items and payments, and infer goods from them.

    :param bots: ids of those that are of bots
    """
    lines = [row for row in rows if row.cart_id is not None or row.kind == "product"]
    if lines:
        frame = live_frame([row for row in lines if row.cart_id is not None], bots)
        await merge_visits(session, frame, await new_live_visits(session, lines))


async def merge_visits(session: AsyncSession, lines: pl.DataFrame, new: NewVisits) -> None:
    """Merge newly inserted visits that name carts, and infer goods from new visits.

    Pages may come after the lines that they explain, and lines in any order.
    """
    cart_ids = lines["cart_id"].unique().sort().to_list()
    await lock_cart_rollups(session)
    goods = await select_inferred_goods(session, new)
    goods_ids = [each.goods_id for each in goods if each.product_id != each.old_product_id]
    async with rollup_changes(session, cart_ids=cart_ids, goods_ids=goods_ids):
        await merge_cart_lines(session, lines)
        await upsert_goods(session, goods)


async def merge_cart_lines(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Merge visits into carts, items and payments.

    Each merge takes the first, the last or the sum, so lines may arrive in any order.
    """
    for name, rows in await run_in_thread(lambda: merge_parameters(visits)):
        await execute_with_arrays(session, statement(name), rows)


async def rebuild_carts(
    session: AsyncSession, cart_ids: list[int], *, excluding: Sequence[PartSpan] = ()
) -> None:
    """Add carts up again from the visits that are left. The caller holds the lock of cart roll-ups.

    :param excluding: parts that are about to be deleted
    """
    visits = await select_cart_visits(session, cart_ids, excluding=excluding)
    async with rollup_changes(session, cart_ids=cart_ids, goods_ids=[]):
        for key in (PAYMENT.c.cart_id, CART_ITEM.c.cart_id, CART.c.id):
            await session.execute(delete(key.table).where(key == any_(cast(cart_ids, ARRAY(BigInteger)))))
        await merge_cart_lines(session, visits)


async def subtract_visits(
    session: AsyncSession, cart_ids: Values, *, in_parts: bool, excluding: Sequence[PartSpan] = ()
) -> None:
    """Take visits away from the carts that they named. The caller holds the lock of cart roll-ups.

    Carts that no other visit names go as a whole, which costs a fraction.

    :param cart_ids: sorted, each once
    :param in_parts: parts that stay name them too, all of them or none
    :param excluding: parts that are about to be deleted
    """
    shared = cart_ids if in_parts else await select_live_carts(session, cart_ids)
    own = np.setdiff1d(cart_ids, shared, assume_unique=True).tolist()
    if own:
        rows = await session.execute(statement("carts/delete_carts"), {"cart_ids": own})
        await subtract_counts(session, rows.all())
    if len(shared):
        await rebuild_carts(session, shared.tolist(), excluding=excluding)


def merge_parameters(visits: pl.DataFrame) -> list[tuple[str, dict[str, str]]]:
    """Return the statements that merge visits, in their order, with their parameters."""
    lines = visits.filter(pl.col("cart_id").is_not_null()).sort(*IN_ORDER)
    merges = {
        "carts/merge_carts": carts_of(lines),
        "carts/add_cart_items": items_of(lines.filter(pl.col("kind") == "cart")),
        "carts/merge_payments": payments_of(lines.filter(pl.col("kind") == "success")),
    }
    return [(name, array_literals(rows)) for name, rows in merges.items() if not rows.is_empty()]


def carts_of(lines: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each cart. The lines are in order."""
    pay_line = pl.col("kind") == "pay"
    return lines.group_by(id="cart_id").agg(
        address=pl.col("address").first(),
        source=pl.col("source").first(),
        is_bot=pl.col("is_bot").first(),
        opened_at=pl.col("occurred_at").first(),
        opened_position=pl.col("position").first(),
        changed_at=pl.col("occurred_at").last(),
        user_id=pl.col("user_id").filter(pay_line).last(),
        user_known_at=pl.col("occurred_at").filter(pay_line).last(),
        user_known_position=pl.col("position").filter(pay_line).last(),
    )


def items_of(cart_lines: pl.DataFrame) -> pl.DataFrame:
    """Sum the amounts of each kind of goods in each cart."""
    amount = pl.col("amount").cast(pl.Int128).sum()  # two amounts of 2^63-1 are more than 64 bits hold
    return cart_lines.group_by("cart_id", "goods_id").agg(amount)


def payments_of(success_lines: pl.DataFrame) -> pl.DataFrame:
    return success_lines.group_by("cart_id").agg(
        paid_at=pl.col("occurred_at").first(),
        position=pl.col("position").first(),
        source=pl.col("source").first(),
    )
