"""Carts, their goods and their payments, as cart, pay and success lines add up to them."""

from collections.abc import Sequence

import polars as pl
from sqlalchemy import ARRAY, BigInteger, any_, case, cast, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import array_literals, execute_with_arrays
from db.locks import lock_cart_rollups
from db.models import Cart, CartItem, Payment
from db.queries.cart_rollups import rollup_changes
from db.queries.goods import select_inferred_goods, upsert_goods
from db.queries.live_visits import LiveRow
from db.sql import statement
from db.threads import run_in_thread
from db.visit_frame import KEY, VISIT, frame_columns, schema_of, visit_frame

IN_ORDER = ("occurred_at", "position")


async def merge_visits(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Merge newly inserted visits into carts, items and payments, and infer goods from them.

    Pages may come after the lines that they explain, and lines in any order.
    """
    cart_ids = visits["cart_id"].drop_nulls().unique().sort().to_list()
    if not cart_ids and (visits["kind"] != "product").all():
        return
    await lock_cart_rollups(session)
    goods = await select_inferred_goods(session, visits)
    goods_ids = [row["goods_id"] for row in goods if row["product_id"] != row["old_product_id"]]
    async with rollup_changes(session, cart_ids=cart_ids, goods_ids=goods_ids):
        await merge_cart_lines(session, visits)
        await upsert_goods(session, goods)


async def merge_live_visits(session: AsyncSession, rows: Sequence[LiveRow]) -> None:
    """Merge newly inserted live visits into carts, items and payments, and infer goods from them."""
    lines = [row for row in rows if row.cart_id is not None or row.kind == "product"]
    if lines:
        await merge_visits(session, live_frame(lines))


def live_frame(rows: Sequence[LiveRow]) -> pl.DataFrame:
    """Make a frame of the columns from which carts and goods follow. `user_id` is who pays."""
    names = (*KEY, "position", "source", "kind", "address", "cart_id", "goods_id", "amount")
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    columns |= {"user_id": [row.buyer_id for row in rows], "import_id": [None] * len(rows)}
    return pl.DataFrame(columns, schema=schema_of(*columns))


async def merge_cart_lines(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Merge visits into carts, items and payments.

    Each merge takes the first, the last or the sum, so lines may arrive in any order.
    """
    for name, rows in await run_in_thread(lambda: merge_parameters(visits)):
        await execute_with_arrays(session, statement(name), rows)


async def rebuild_carts(session: AsyncSession, cart_ids: list[int]) -> None:
    """Add carts up again from the visits that are left. The caller is the only writer."""
    visits = await select_cart_visits(session, cart_ids)
    async with rollup_changes(session, cart_ids=cart_ids, goods_ids=[]):
        for key in (Payment.cart_id, CartItem.cart_id, Cart.id):
            await session.execute(delete(key.class_).where(key == any_(cast(cart_ids, ARRAY(BigInteger)))))
        await merge_cart_lines(session, visits)


async def select_cart_visits(session: AsyncSession, cart_ids: list[int]) -> pl.DataFrame:
    """Return the visits that name one of the carts. `user_id` is who pays, also of live visits."""
    visit = VISIT.c
    payer = case((visit.source == "log", visit.user_id), else_=visit.buyer_id).label("user_id")
    columns = [payer if column.key == "user_id" else column for column in frame_columns()]
    rows = await session.execute(
        select(*columns).where(visit.cart_id == any_(cast(cart_ids, ARRAY(BigInteger))))
    )
    return visit_frame(rows)


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
