"""Carts that are stored, and that new lines of a log name: what they become, and how that is written."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Result
from sqlalchemy.ext.asyncio import AsyncSession

from db.array_literals import number_array
from db.bulk import array_literals, execute_with_arrays
from db.columns import Values, decode
from db.frames import (
    NO_NUMBER,
    Frame,
    concatenate,
    find_rows,
    height,
    instants_at,
    numbers_of,
    take,
    texts_of,
)
from db.sessions import raw_connection
from db.sql import statement
from db.unique import distinct

# LATERAL and OFFSET 0 have payments looked up cart by cart: PostgreSQL would read the table while it is new.
CARTS = """
    SELECT
        array_send(array_agg(cart.id)) AS id,
        array_agg(cart.source) AS source,
        array_send(array_agg(CAST(cart.is_bot AS int))) AS is_bot,
        array_send(array_agg(cart.opened_at)) AS opened_at,
        array_send(array_agg(cart.opened_position)) AS opened_position,
        array_send(array_agg(cart.changed_at)) AS changed_at,
        array_send(array_agg(cart.user_id)) AS user_id,
        array_send(array_agg(cart.user_known_at)) AS user_known_at,
        array_send(array_agg(cart.user_known_position)) AS user_known_position,
        array_send(array_agg(paid.paid_at)) AS paid_at,
        array_send(array_agg(paid.position)) AS position,
        array_agg(paid.source) AS paid_source
    FROM cart
    LEFT JOIN LATERAL (
        SELECT payment.paid_at, payment.position, payment.source
        FROM payment
        WHERE payment.cart_id = cart.id OFFSET 0
    ) AS paid ON TRUE
    WHERE cart.id = ANY(CAST((SELECT CAST(CAST($1 AS text) AS bigint[])) AS bigint[]))
"""
# Up to a number: where few carts are sought among many, those are not all read.
STORED = """
    SELECT array_send(array_agg(id))
    FROM (SELECT id FROM cart WHERE id BETWEEN $1 AND $2 LIMIT $3) AS stored
"""
CARTS_OF_RUN = 50  # on average: a statement for each run then costs less than looking up each cart
NO_CART = (1, 0)
ITEMS = """
    SELECT array_send(array_agg(cart_id)) AS cart_id, array_send(array_agg(goods_id)) AS goods_id
    FROM cart_item
    WHERE cart_id = ANY(CAST((SELECT CAST(CAST($1 AS text) AS bigint[])) AS bigint[]))
"""
GOODS_CATEGORIES = """
    SELECT goods.goods_id, product.category_id
    FROM goods INNER JOIN product ON goods.product_id = product.id
    WHERE goods.goods_id = ANY(CAST((SELECT CAST(CAST($1 AS text) AS bigint[])) AS bigint[]))
"""
COUNTED = ("id", "source", "is_bot", "opened_at", "user_id")  # of a cart
INSTANTS = ("opened_at", "changed_at", "user_known_at", "paid_at")
KNOWN = ("user_id", "user_known_at", "user_known_position")  # from the last pay line
OPENED = ("address", "source", "is_bot", "opened_at", "opened_position")  # from the first line
PAYMENT = ("paid_at", "position", "source")  # from the first success line


@dataclass(frozen=True, slots=True)
class StoredCarts:
    """Carts as they are stored, but for their addresses, and their payments."""

    carts: Frame
    payments: Frame

    @property
    def ids(self) -> Values:
        return self.carts["id"]


async def select_stored_carts(session: AsyncSession, cart_ids: Values) -> StoredCarts:
    """Return those of the carts that are stored. The caller holds the lock of cart roll-ups."""
    raw = await raw_connection(session)
    row = await raw.fetchrow(CARTS, number_array(cart_ids.tolist()))
    assert row is not None  # also where none is stored
    carts = {name: column_of(name, row[name]) for name in row.keys()}  # noqa: SIM118 - a Record yields its values
    payments = {name: carts.pop(name) for name in ("paid_at", "position", "paid_source")}
    payments = {"cart_id": carts["id"], "source": payments.pop("paid_source"), **payments}
    carts["is_bot"] = carts["is_bot"] > 0
    return StoredCarts(carts, take(payments, ~np.isnat(payments["paid_at"])))


async def select_items(session: AsyncSession, cart_ids: Values) -> Frame:
    """Return the goods in stored carts: columns cart_id, goods_id."""
    row = None
    if len(cart_ids):
        raw = await raw_connection(session)
        row = await raw.fetchrow(ITEMS, number_array(cart_ids.tolist()))
    return {name: column_of(name, None if row is None else row[name]) for name in ("cart_id", "goods_id")}


async def select_categories(session: AsyncSession, items: Frame) -> Frame:
    """Return the categories of those goods whose product is known: columns goods_id, category_id."""
    rows = []
    goods_ids = distinct(items["goods_id"]).tolist()
    if goods_ids:
        raw = await raw_connection(session)
        rows = await raw.fetch(GOODS_CATEGORIES, number_array(goods_ids))
    return {name: numbers_of(row[name] for row in rows) for name in ("goods_id", "category_id")}


async def delete_carts(session: AsyncSession, cart_ids: Values) -> tuple[Frame, Frame, Frame]:
    """Delete carts with their goods and payments. Return the three, as `count_carts` takes them.

    :param cart_ids: in order
    """
    runs = await select_runs(session, cart_ids)
    if len(runs) * CARTS_OF_RUN > len(cart_ids):
        arrays = array_literals({"cart_ids": cart_ids})
        return frames_of(await execute_with_arrays(session, statement("carts/delete_carts"), arrays))
    delete_range = statement("carts/delete_cart_range")
    frames = [
        frames_of(await session.execute(delete_range, {"first": first, "last": last}))
        for first, last in runs or [NO_CART]
    ]
    carts, payments, items = (concatenate(list(each)) for each in zip(*frames, strict=True))
    return carts, payments, items


async def select_runs(session: AsyncSession, cart_ids: Values) -> list[tuple[int, int]]:
    """Return the ranges that hold those of the carts that are stored, and no others.

    Where most carts between the first and the last are others, each is a range of its own.
    """
    first, last = int(cart_ids[0]), int(cart_ids[-1])
    raw = await raw_connection(session)
    encoded = await raw.fetchval(STORED, first, last, 2 * len(cart_ids))
    stored = np.empty(0, np.int64) if encoded is None else np.sort(decode(encoded)[0])
    if len(stored) == 2 * len(cart_ids):
        return [(cart_id, cart_id) for cart_id in cart_ids.tolist()]
    is_sought = np.concatenate([[False], np.isin(stored, cart_ids), [False]])
    starts = np.flatnonzero(~is_sought[:-1] & is_sought[1:])
    ends = np.flatnonzero(is_sought[:-1] & ~is_sought[1:]) - 1
    return list(zip(stored[starts].tolist(), stored[ends].tolist(), strict=True))


def frames_of(result: Result[Any]) -> tuple[Frame, Frame, Frame]:
    """Return the carts, payments and goods of a statement that deletes carts."""
    row = {name: column_of(name, array) for name, array in result.mappings().one().items()}
    row["is_bot"] = row["is_bot"] > 0
    return (
        {name: row[name] for name in COUNTED},
        {"cart_id": row["paid_id"], "paid_at": row["paid_at"], "source": row["paid_source"]},
        {"cart_id": row["item_id"], "goods_id": row["goods_id"]},
    )


def column_of(name: str, array: bytes | list[str | None] | None) -> NDArray[Any]:
    """Return a column of carts: texts, or a binary array of numbers or instants; None stands for no row."""
    if "source" in name:
        return texts_of(array if isinstance(array, list) else [])
    assert not isinstance(array, list)
    values, valid = (np.empty(0, np.int64), None) if array is None else decode(array)
    numbers = values.astype(np.int64) if valid is None else np.where(valid, values, NO_NUMBER)
    return instants_at(numbers) if name in INSTANTS else numbers


def merge_carts(stored: StoredCarts, new: Frame) -> Frame:
    """Return what stored carts become by new lines, with `is_opened_earlier` and `is_changed`.

    :param new: what the new lines add up to, a row for each cart, in the order of ids
    """
    old, new = stored.carts, take(new, np.searchsorted(new["id"], stored.ids))
    is_opened_earlier = is_before(new, old, "opened_at", "opened_position")
    is_known_later = ~np.isnat(new["user_known_at"]) & (
        np.isnat(old["user_known_at"]) | is_before(old, new, "user_known_at", "user_known_position")
    )
    is_changed_later = new["changed_at"] > old["changed_at"]
    return {
        "id": old["id"],
        **{name: np.where(is_opened_earlier, new[name], old[name]) for name in OPENED if name != "address"},
        **{name: np.where(is_known_later, new[name], old[name]) for name in KNOWN},
        "changed_at": np.where(is_changed_later, new["changed_at"], old["changed_at"]),
        "is_opened_earlier": is_opened_earlier,
        "is_changed": is_opened_earlier | is_known_later | is_changed_later,
    }


def merge_payments(stored: Frame, new: Frame) -> Frame:
    """Return the payments of carts: those that are stored, unless new lines are earlier, and new ones."""
    columns = ("cart_id", *PAYMENT)
    stored, new = ({name: frame[name] for name in columns} for frame in (stored, new))
    rows = find_rows(stored["cart_id"], new["cart_id"])
    both = np.flatnonzero(rows >= 0)
    old, other = take(stored, both), take(new, rows[both])
    is_earlier = is_before(other, old, "paid_at", "position")
    return concatenate(
        [
            {name: np.where(is_earlier, other[name], old[name]) for name in columns},
            take(stored, rows < 0),
            take(new, ~np.isin(new["cart_id"], stored["cart_id"])),
        ]
    )


def is_before(one: Frame, other: Frame, at: str, position: str) -> NDArray[np.bool_]:
    """Return in which rows a line is before another one."""
    is_first: NDArray[np.bool_] = (one[at] < other[at]) | (
        (one[at] == other[at]) & (one[position] < other[position])
    )
    return is_first


def update_parameters(
    stored: StoredCarts, merged: Frame, *, carts: Frame, items: Frame, payments: Frame
) -> list[tuple[str, dict[str, str]]]:
    """Return the statements that write what becomes of stored carts, with their parameters.

    :param merged: as `merge_carts` returns them
    :param carts: and items and payments: what the new lines add up to
    """
    is_opened_earlier = merged["is_opened_earlier"]
    updates = take(merged, merged["is_changed"] & ~is_opened_earlier)
    frames = {
        "carts/update_carts": {name: updates[name] for name in ("id", "changed_at", *KNOWN)},
        "carts/merge_carts": take(carts, np.isin(carts["id"], merged["id"][is_opened_earlier])),
        "carts/add_cart_items": take(items, np.isin(items["cart_id"], stored.ids)),
        "carts/merge_payments": take(payments, np.isin(payments["cart_id"], stored.payments["cart_id"])),
    }
    return [(name, array_literals(rows)) for name, rows in frames.items() if height(rows)]
