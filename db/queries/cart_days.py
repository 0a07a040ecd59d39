"""Carts and payments of UTC days, as columns in order of time."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from asyncpg import Connection

from db.columns import decode
from db.part_files import Array

DAYS = """
    SELECT day, version FROM cart_day_version
    WHERE day > $1::timestamptz - interval '1 day' AND day < $2
    ORDER BY day
"""
PURCHASES = """
    SELECT
        each.day,
        array_send(array_agg(payment.paid_at ORDER BY payment.paid_at)) AS at,
        array_send(array_agg(CAST(payment.source <> 'log' AS int) ORDER BY payment.paid_at)) AS is_live,
        array_send(array_agg(CAST(cart.is_bot AS int) ORDER BY payment.paid_at)) AS is_bot,
        array_send(array_agg(cart.user_id ORDER BY payment.paid_at)) AS user_id
    FROM unnest($1::timestamptz[]) AS each (day)
    INNER JOIN payment ON payment.paid_at >= each.day AND payment.paid_at < each.day + interval '1 day'
    INNER JOIN cart ON payment.cart_id = cart.id
    WHERE cart.user_id IS NOT NULL
    GROUP BY each.day
"""
OPENED = """
    SELECT
        array_send(array_agg(cart.opened_at ORDER BY cart.opened_at)) AS at,
        array_send(array_agg(CAST(cart.source <> 'log' AS int) ORDER BY cart.opened_at)) AS is_live,
        array_send(array_agg(CAST(cart.is_bot AS int) ORDER BY cart.opened_at)) AS is_bot,
        array_send(array_agg(CAST(payment.cart_id IS NOT NULL AS int) ORDER BY cart.opened_at)) AS is_paid
    FROM cart LEFT JOIN payment ON cart.id = payment.cart_id
    WHERE cart.opened_at >= $1 AND cart.opened_at < $1 + interval '1 day'
"""
BASKETS = """
    WITH paid AS MATERIALIZED (
        SELECT
            payment.cart_id, payment.paid_at, payment.source, cart.is_bot,
            CAST(row_number() OVER (ORDER BY payment.paid_at, payment.cart_id) - 1 AS int) AS place
        FROM payment INNER JOIN cart ON payment.cart_id = cart.id
        WHERE payment.paid_at >= $1 AND payment.paid_at < $1 + interval '1 day'
    ),
    held AS (
        SELECT DISTINCT paid.place, product.category_id
        FROM paid
        INNER JOIN cart_item ON paid.cart_id = cart_item.cart_id
        INNER JOIN goods ON cart_item.goods_id = goods.goods_id
        INNER JOIN product ON goods.product_id = product.id
    )
    SELECT payments.*, holdings.*
    FROM (
        SELECT
            array_send(array_agg(paid_at ORDER BY place)) AS at,
            array_send(array_agg(CAST(source <> 'log' AS int) ORDER BY place)) AS is_live,
            array_send(array_agg(CAST(is_bot AS int) ORDER BY place)) AS is_bot
        FROM paid
    ) AS payments
    CROSS JOIN (
        SELECT
            array_send(array_agg(place ORDER BY place, category_id)) AS place,
            array_send(array_agg(category_id ORDER BY place, category_id)) AS category_id
        FROM held
    ) AS holdings
"""


@dataclass(frozen=True, slots=True)
class CartColumns:
    """Carts, in order of the time, in microseconds since 1970, at which they were opened or paid.

    :param is_live: whether that line was live; 0 or 1, as `is_bot`
    """

    at: Array
    is_live: Array
    is_bot: Array


@dataclass(frozen=True, slots=True)
class Purchases(CartColumns):
    """Paid carts whose user is known."""

    user_id: Array


@dataclass(frozen=True, slots=True)
class OpenedCarts(CartColumns):
    """Opened carts. `is_paid` is 0 or 1."""

    is_paid: Array


@dataclass(frozen=True, slots=True)
class Baskets(CartColumns):
    """Paid carts, and what they hold: the cart at a place has goods of a category, each pair once."""

    place: Array
    category_id: Array


NOTHING = np.empty(0, np.int64)
NO_PURCHASES = Purchases(NOTHING, NOTHING, NOTHING, NOTHING)


async def select_cart_days(
    raw: Connection, since: datetime, until: datetime
) -> list[tuple[datetime, uuid.UUID]]:
    """Return the days that overlap [since, until) and perhaps have carts, with their versions."""
    return [(day, version) for day, version in await raw.fetch(DAYS, since, until)]


async def select_purchases(raw: Connection, days: Collection[datetime]) -> dict[datetime, Purchases]:
    """Return the payments of days by day; days without any are left out."""
    rows = await raw.fetch(PURCHASES, list(days))
    names = ("at", "is_live", "is_bot", "user_id")
    return {row["day"]: Purchases(*(array(row[name]) for name in names)) for row in rows}


async def select_opened_carts(raw: Connection, day: datetime) -> OpenedCarts:
    """Return the carts that were opened on a day."""
    [row] = await raw.fetch(OPENED, day)
    return OpenedCarts(*map(array, row))


async def select_baskets(raw: Connection, day: datetime) -> Baskets:
    """Return the carts that were paid on a day."""
    [row] = await raw.fetch(BASKETS, day)
    return Baskets(*map(array, row))


def array(sent: bytes | None) -> Array:
    return NOTHING if sent is None else decode(sent)[0]
