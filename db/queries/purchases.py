"""Payments of carts whose user is known, by UTC day, as columns."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from asyncpg import Connection

from db.columns import decode
from db.part_files import Array

DAYS = """
    SELECT day, version FROM purchase_day
    WHERE day > $1::timestamptz - interval '1 day' AND day < $2
    ORDER BY day
"""
PURCHASES = """
    SELECT
        each.day,
        array_send(array_agg(payment.paid_at ORDER BY payment.paid_at)) AS paid_at,
        array_send(array_agg(cart.user_id ORDER BY payment.paid_at)) AS user_id,
        array_send(array_agg(CAST(payment.source <> 'log' AS int) ORDER BY payment.paid_at)) AS is_live,
        array_send(array_agg(CAST(cart.is_bot AS int) ORDER BY payment.paid_at)) AS is_bot
    FROM unnest($1::timestamptz[]) AS each (day)
    INNER JOIN payment ON payment.paid_at >= each.day AND payment.paid_at < each.day + interval '1 day'
    INNER JOIN cart ON payment.cart_id = cart.id
    WHERE cart.user_id IS NOT NULL
    GROUP BY each.day
"""


@dataclass(frozen=True, slots=True)
class Purchases:
    """Payments in order of time, in microseconds since 1970; who paid, and what for."""

    paid_at: Array
    user_id: Array
    is_live: Array
    is_bot: Array


async def select_purchase_days(
    raw: Connection, since: datetime, until: datetime
) -> list[tuple[datetime, uuid.UUID]]:
    """Return the days that overlap [since, until) and perhaps have payments, with their versions."""
    return [(day, version) for day, version in await raw.fetch(DAYS, since, until)]


async def select_purchases(raw: Connection, days: Collection[datetime]) -> dict[datetime, Purchases]:
    """Return the payments of days by day; days without any are left out."""
    rows = await raw.fetch(PURCHASES, list(days))
    return {row["day"]: Purchases(*(decode(row[name])[0] for name in Purchases.__slots__)) for row in rows}


NO_PURCHASES = Purchases(*(np.empty(0, np.int64) for _ in range(4)))
