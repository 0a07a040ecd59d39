"""Carts and payments of UTC days, as columns.

OFFSET 0 has carts and items looked up one by one: PostgreSQL would read all of these tables for each day,
1.3 to 3.5 times as much at 360,000 carts, and ever more as there are more.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from asyncpg import Connection

from db.cart_day_files import CartColumns, OpenedCarts, PaidCarts
from db.columns import decode
from db.part_files import Array
from db.unique import distinct

DAYS = """
    SELECT day, version FROM cart_day_version
    WHERE day > $1::timestamptz - interval '1 day' AND day < $2
    ORDER BY day
"""
OPENED = """
    SELECT
        array_send(array_agg(cart.opened_at)) AS at,
        array_send(array_agg(CAST(cart.source <> 'log' AS int))) AS is_live,
        array_send(array_agg(CAST(cart.is_bot AS int))) AS is_bot,
        array_send(array_agg(CAST(pay.is_paid AS int))) AS is_paid
    FROM cart
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT FROM payment WHERE payment.cart_id = cart.id OFFSET 0) AS is_paid
    ) AS pay
    WHERE cart.opened_at >= $1 AND cart.opened_at < $1 + interval '1 day'
"""
PAID = """
    SELECT
        array_send(array_agg(payment.paid_at)) AS at,
        array_send(array_agg(CAST(payment.source <> 'log' AS int))) AS is_live,
        array_send(array_agg(CAST(each.is_bot AS int))) AS is_bot,
        array_send(array_agg(each.user_id)) AS user_id,
        array_send(array_agg(payment.cart_id)) AS cart_id
    FROM payment
    CROSS JOIN LATERAL (
        SELECT cart.is_bot, cart.user_id FROM cart WHERE cart.id = payment.cart_id OFFSET 0
    ) AS each
    WHERE payment.paid_at >= $1 AND payment.paid_at < $1 + interval '1 day'
"""
HELD = """
    SELECT
        array_send(array_agg(payment.cart_id)) AS cart_id,
        array_send(array_agg(product.category_id)) AS category_id
    FROM payment
    CROSS JOIN LATERAL (
        SELECT cart_item.goods_id FROM cart_item WHERE cart_item.cart_id = payment.cart_id OFFSET 0
    ) AS item
    INNER JOIN goods ON item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
    WHERE payment.paid_at >= $1 AND payment.paid_at < $1 + interval '1 day'
"""
NOTHING = np.empty(0, np.int64)


async def select_cart_days(
    raw: Connection, since: datetime, until: datetime
) -> list[tuple[datetime, uuid.UUID]]:
    """Return the days that overlap [since, until) and perhaps have carts, with their versions."""
    return [(day, version) for day, version in await raw.fetch(DAYS, since, until)]


async def select_carts(raw: Connection, day: datetime, kind: str) -> CartColumns:
    """Return the carts that were opened or paid on a day, as the kind says.

    Two statements read them: `raw` must see one moment.
    """
    if kind == OpenedCarts.kind:
        return opened_carts(await select_arrays(raw, OPENED, day))
    return paid_carts(await select_arrays(raw, PAID, day), await select_arrays(raw, HELD, day))


async def select_arrays(raw: Connection, sql: str, day: datetime) -> dict[str, tuple[Array, Any]]:
    """Return the columns of a day, each with which of its values are known; None if all are."""
    [row] = await raw.fetch(sql, day)
    return {name: (NOTHING, None) if sent is None else decode(sent) for name, sent in row.items()}


def opened_carts(columns: Mapping[str, tuple[Array, Any]]) -> OpenedCarts:
    flags = {name: columns[name][0].astype(np.bool_) for name in ("is_live", "is_bot", "is_paid")}
    return OpenedCarts(at=columns["at"][0], **flags)


def paid_carts(paid: Mapping[str, tuple[Array, Any]], held: Mapping[str, tuple[Array, Any]]) -> PaidCarts:
    user_ids, is_known = paid["user_id"]
    order = np.argsort(user_ids)
    flags = {name: paid[name][0][order].astype(np.bool_) for name in ("is_live", "is_bot")}
    cart_ids = paid["cart_id"][0][order]
    by_id = np.argsort(cart_ids)
    places = by_id[np.searchsorted(cart_ids, held["cart_id"][0], sorter=by_id)]
    pairs = distinct(places << 32 | held["category_id"][0])
    return PaidCarts(
        at=paid["at"][0][order],
        **flags,
        user_id=user_ids[order],
        has_user=np.ones(len(order), np.bool_) if is_known is None else is_known[order],
        place=(pairs >> 32).astype(np.int32),
        category_id=(pairs & 0xFFFFFFFF).astype(np.int32),
    )
