"""Carts of new lines: what they become is computed in memory with what is stored, and then written."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from db.binary_copy import as_copy, as_inet, as_numeric
from db.bulk import copy_rows, execute_with_arrays
from db.frames import Frame, concatenate, height, take
from db.locks import lock_cart_rollups
from db.queries import cart_rollups
from db.queries.cart_counts import changes_between, count_carts
from db.queries.cart_frames import make_frame
from db.queries.cart_rollups import Counts, add_changes
from db.queries.carts import sum_lines
from db.queries.goods import new_visits_of_part, select_inferred_goods, upsert_goods
from db.queries.goods_inference import InferredGoods
from db.queries.part_columns import Columns, PartSpan
from db.queries.part_lines import PartLines, ProductPages, lines_of, product_pages_of, remember
from db.queries.stored_carts import (
    COUNTED,
    StoredCarts,
    merge_carts,
    merge_payments,
    select_categories,
    select_items,
    select_stored_carts,
    update_parameters,
)
from db.sql import statement
from db.threads import run_in_thread


@dataclass(frozen=True, slots=True)
class CartLines:
    """The lines of a part that name carts, and what they add up to.

    :param pages: the views of products, from which goods are inferred
    :param carts: and items and payments: in the order of their keys
    """

    part_lines: PartLines
    pages: ProductPages
    carts: Frame
    items: Frame
    payments: Frame


def cart_lines_of(
    columns: Columns, addresses: Mapping[int, str], is_bot: NDArray[np.bool_] | None
) -> CartLines:
    """Add up the lines of a part that is about to be stored.

    :param addresses: those of its visits by id
    :param is_bot: which of its visits are of bots; None if none is
    """
    part_lines = lines_of(columns)
    bots = None if is_bot is None else is_bot[np.flatnonzero(columns["cart_id"])]
    carts, items, payments = sum_lines(make_frame(part_lines, addresses, bots))
    return CartLines(part_lines, product_pages_of(columns), carts, items, payments)


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

    The caller holds the lock of cart roll-ups, so that nobody else changes a cart meanwhile.
    """
    stored = await select_stored_carts(session, lines.carts["id"])
    payments = await run_in_thread(lambda: merge_payments(stored.payments, lines.payments))
    paid_ids = payments["cart_id"]
    items = await select_items(session, stored.ids[np.isin(stored.ids, paid_ids)])
    none = {name: column[:0] for name, column in items.items()}
    categories = await select_categories(session, items if height(stored.payments) else none)
    before = await run_in_thread(lambda: count_carts(stored.carts, stored.payments, items, categories))
    moved = await upsert_inferred_goods(session, goods, without=stored.ids.tolist())

    merged = await run_in_thread(lambda: merge_carts(stored, lines.carts))
    new = take(lines.carts, ~np.isin(lines.carts["id"], stored.ids))
    carts = concatenate([{name: frame[name] for name in COUNTED} for frame in (merged, new)])
    new_items = take(lines.items, np.isin(lines.items["cart_id"], paid_ids))
    items = {name: np.concatenate([items[name], new_items[name]]) for name in items}
    categories = await select_categories(session, items)
    counting = asyncio.create_task(run_in_thread(lambda: count_carts(carts, payments, items, categories)))
    try:
        await write_carts(session, stored, merged, lines)
    finally:
        after = await counting
    changes = changes_between(before, after)
    changes.add(moved)
    await add_changes(session, changes)


async def upsert_inferred_goods(
    session: AsyncSession, goods: Sequence[InferredGoods], *, without: list[int]
) -> Counts:
    """Store inferred goods. Return the changes of what stored carts count for; those in `without` do not."""
    ids = [each.goods_id for each in goods if each.product_id != each.old_product_id]
    if not ids:
        await upsert_goods(session, goods)
        return Counts()
    before = await cart_rollups.count_carts(session, [], ids, without=without)
    await upsert_goods(session, goods)
    changes = await cart_rollups.count_carts(session, [], ids, without=without)
    changes.subtract(before)
    return changes


async def write_carts(session: AsyncSession, stored: StoredCarts, merged: Frame, lines: CartLines) -> None:
    """Change stored carts, and insert the others, their items, and payments of carts that were not paid."""
    updates = await run_in_thread(
        lambda: update_parameters(
            stored, merged, carts=lines.carts, items=lines.items, payments=lines.payments
        )
    )
    for name, arrays in updates:
        await execute_with_arrays(session, statement(name), arrays)
    carts = take(lines.carts, ~np.isin(lines.carts["id"], stored.ids))
    items = take(lines.items, ~np.isin(lines.items["cart_id"], stored.ids))
    payments = take(lines.payments, ~np.isin(lines.payments["cart_id"], stored.payments["cart_id"]))
    pieces = await run_in_thread(
        lambda: (
            as_copy({**carts, "address": as_inet(carts["address"])}),
            as_copy({**items, "amount": as_numeric(items["amount"])}),
            as_copy(payments),
        )
    )
    for table, frame, encoded in zip(
        ("cart", "cart_item", "payment"), (carts, items, payments), pieces, strict=True
    ):
        if height(frame):
            await copy_rows(session, table, list(frame), encoded)
