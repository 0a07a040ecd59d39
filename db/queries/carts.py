"""Carts, their goods and their payments, as cart, pay and success lines add up to them."""

from collections.abc import Container, Sequence

import numpy as np
from sqlalchemy import ARRAY, BigInteger, any_, cast, delete
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import array_literals, execute_with_arrays
from db.columns import Values
from db.frames import NO_INSTANT, NO_NUMBER, Frame, group_rows, height, take
from db.kinds import KIND_CODES
from db.locks import lock_cart_rollups
from db.models import Cart, CartItem, Payment
from db.queries.cart_counts import changes_between, count_carts
from db.queries.cart_frames import (
    live_frame,
    select_cart_visits,
    select_live_carts,
)
from db.queries.cart_rollups import add_changes, rollup_changes
from db.queries.goods import (
    NewVisits,
    new_live_visits,
    select_inferred_goods,
    upsert_goods,
)
from db.queries.live_visits import LiveRow
from db.queries.part_columns import PartSpan
from db.queries.stored_carts import delete_carts, select_categories
from db.sql import statement
from db.threads import run_in_thread

CART, CART_ITEM, PAYMENT = (model.__table__ for model in (Cart, CartItem, Payment))
MERGES = ("carts/merge_carts", "carts/add_cart_items", "carts/merge_payments")
LARGEST = 2**63 - 1  # amount
CART_LINE, PAY, SUCCESS = (ord(KIND_CODES[kind]) for kind in ("cart", "pay", "success"))


async def merge_live_visits(session: AsyncSession, rows: Sequence[LiveRow], bots: Container[str]) -> None:
    """Merge newly inserted live visits into carts, items and payments, and infer goods from them.

    :param bots: ids of those that are of bots
    """
    lines = [row for row in rows if row.cart_id is not None or row.kind == "product"]
    if lines:
        frame = live_frame([row for row in lines if row.cart_id is not None], bots)
        await merge_visits(session, frame, await new_live_visits(session, lines))


async def merge_visits(session: AsyncSession, lines: Frame, new: NewVisits) -> None:
    """Merge newly inserted visits that name carts, and infer goods from new visits.

    Pages may come after the lines that they explain, and lines in any order.
    """
    cart_ids = np.unique(lines["cart_id"]).tolist()
    await lock_cart_rollups(session)
    goods = await select_inferred_goods(session, new)
    goods_ids = [each.goods_id for each in goods if each.product_id != each.old_product_id]
    async with rollup_changes(session, cart_ids=cart_ids, goods_ids=goods_ids):
        await merge_cart_lines(session, lines)
        await upsert_goods(session, goods)


async def merge_cart_lines(session: AsyncSession, visits: Frame) -> None:
    """Merge visits into carts, items and payments.

    Each merge takes the first, the last or the sum, so lines may arrive in any order.
    """
    for name, rows in await run_in_thread(lambda: cart_merges(visits)):
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

    :param cart_ids: each once; those of one user together cost less
    :param in_parts: parts that stay name them too, all of them or none
    :param excluding: parts that are about to be deleted
    """
    shared = cart_ids if in_parts else await select_live_carts(session, cart_ids)
    own = np.setdiff1d(cart_ids, shared, assume_unique=True)
    if len(own):
        await delete_unnamed_carts(session, own)
    if len(shared):
        await rebuild_carts(session, shared.tolist(), excluding=excluding)


async def delete_unnamed_carts(session: AsyncSession, cart_ids: Values) -> None:
    """Delete carts that no visit names any more, and take them away from roll-ups."""
    carts, payments, items = await delete_carts(session, cart_ids)
    categories = await select_categories(session, items)
    counts = await run_in_thread(lambda: count_carts(carts, payments, items, categories))
    await add_changes(session, changes_between(counts, counts.nothing()))


def cart_merges(visits: Frame) -> list[tuple[str, dict[str, str]]]:
    """Return the statements that merge these visits into carts, in order: their names and parameters."""
    merges = dict(zip(MERGES, sum_lines(visits), strict=True))
    return [(name, array_literals(rows)) for name, rows in merges.items() if height(rows)]


def sum_lines(visits: Frame) -> tuple[Frame, Frame, Frame]:
    """Return what visits that name carts add up to: carts, items and payments, in the order of their keys."""
    lines = take(visits, np.lexsort((visits["position"], visits["occurred_at"])))
    kind = lines["kind"]
    return (
        carts_of(lines),
        items_of(take(lines, kind == CART_LINE)),
        payments_of(take(lines, kind == SUCCESS)),
    )


def carts_of(lines: Frame) -> Frame:
    """Return a row for each cart. The lines are in order."""
    order, starts = group_rows(lines["cart_id"])
    first, last = order[starts], order[np.append(starts, len(order))[1:] - 1]
    cart_ids = lines["cart_id"][first]
    paying = np.flatnonzero(lines["kind"] == PAY)
    pay_line = np.full(len(starts), -1)
    pay_line[np.searchsorted(cart_ids, lines["cart_id"][paying])] = paying  # of several the last is written
    is_known = pay_line >= 0
    return {
        "id": cart_ids,
        "address": lines["address"][first],
        "source": lines["source"][first],
        "is_bot": lines["is_bot"][first],
        "opened_at": lines["occurred_at"][first],
        "opened_position": lines["position"][first],
        "changed_at": lines["occurred_at"][last],
        "user_id": np.where(is_known, lines["user_id"][pay_line], NO_NUMBER),
        "user_known_at": np.where(is_known, lines["occurred_at"][pay_line], NO_INSTANT),
        "user_known_position": np.where(is_known, lines["position"][pay_line], NO_NUMBER),
    }


def items_of(cart_lines: Frame) -> Frame:
    """Sum the amounts of each kind of goods in each cart."""
    order, starts = group_rows(cart_lines["cart_id"], cart_lines["goods_id"])
    first, amounts = order[starts], cart_lines["amount"][order]
    if len(amounts) and int(amounts.max()) > LARGEST // len(amounts):
        amounts = amounts.astype(np.object_)  # two amounts of 2^63-1 are more than 64 bits hold
    return {
        "cart_id": cart_lines["cart_id"][first],
        "goods_id": cart_lines["goods_id"][first],
        "amount": np.add.reduceat(amounts, starts) if len(starts) else amounts,
    }


def payments_of(success_lines: Frame) -> Frame:
    """Return the first success line of each cart. The lines are in order."""
    order, starts = group_rows(success_lines["cart_id"])
    first = order[starts]
    return {
        "cart_id": success_lines["cart_id"][first],
        "paid_at": success_lines["occurred_at"][first],
        "position": success_lines["position"][first],
        "source": success_lines["source"][first],
    }
