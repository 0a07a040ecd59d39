"""Carts that are stored, and that new lines of a log name: what they become, and how that is written."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from sqlalchemy.ext.asyncio import AsyncSession

from db.array_literals import array_literal
from db.bulk import array_literals
from db.columns import decode
from db.database import raw_connection

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
ITEMS = """
    SELECT array_send(array_agg(cart_id)) AS cart_id, array_send(array_agg(goods_id)) AS goods_id
    FROM cart_item
    WHERE cart_id = ANY(CAST((SELECT CAST(CAST($1 AS text) AS bigint[])) AS bigint[]))
"""
INSTANTS = ("opened_at", "changed_at", "user_known_at", "paid_at")
KNOWN = ("user_id", "user_known_at", "user_known_position")  # from the last pay line
OPENED = ("address", "source", "is_bot", "opened_at", "opened_position")  # from the first line
PAYMENT = ("paid_at", "position", "source")  # from the first success line


@dataclass(frozen=True, slots=True)
class StoredCarts:
    """Carts as they are stored, but for their addresses, and their payments."""

    carts: pl.DataFrame
    payments: pl.DataFrame

    @property
    def ids(self) -> pl.Series:
        return self.carts["id"]


async def select_stored_carts(session: AsyncSession, cart_ids: Sequence[int]) -> StoredCarts:
    """Return those of the carts that are stored. The caller holds the lock of cart roll-ups."""
    raw = await raw_connection(session)
    row = await raw.fetchrow(CARTS, array_literal(cart_ids))
    assert row is not None  # also where none is stored
    frame = pl.DataFrame({name: series_of(name, row[name]) for name in row.keys()})  # noqa: SIM118 - a Record yields its values
    frame = frame.with_columns(pl.col("is_bot").cast(pl.Boolean))
    return StoredCarts(
        frame.drop("paid_at", "position", "paid_source"),
        frame.select("paid_at", "position", cart_id="id", source="paid_source").drop_nulls("paid_at"),
    )


async def select_items(session: AsyncSession, cart_ids: Sequence[int]) -> pl.DataFrame:
    """Return the goods in stored carts: columns cart_id, goods_id."""
    row = None
    if cart_ids:
        raw = await raw_connection(session)
        row = await raw.fetchrow(ITEMS, array_literal(cart_ids))
    return pl.DataFrame(
        {name: series_of(name, None if row is None else row[name]) for name in ("cart_id", "goods_id")}
    )


def series_of(name: str, array: bytes | list[str | None] | None) -> pl.Series:
    """Return a column of carts: texts, or a binary array of numbers or instants; None stands for no row."""
    if isinstance(array, list) or "source" in name:
        return pl.Series(name, array or [], dtype=pl.String)
    values, valid = (np.empty(0, np.int64), None) if array is None else decode(array)
    series = pl.Series(name, values, dtype=pl.Int64)
    if valid is not None:
        series = series.zip_with(pl.Series(valid), pl.Series([None], dtype=pl.Int64))
    return series.cast(pl.Datetime("us", "UTC")) if name in INSTANTS else series


def merge_carts(stored: StoredCarts, new: pl.DataFrame) -> pl.DataFrame:
    """Return what stored carts become by new lines, with `is_opened_earlier` and `is_changed`.

    :param new: what the new lines add up to, a row for each cart
    """
    both = stored.carts.join(new, left_on="id", right_on="id", suffix="_new")
    is_opened_earlier = is_before("opened_at", "opened_position")
    is_known_later = pl.col("user_known_at_new").is_not_null() & (
        pl.col("user_known_at").is_null() | ~is_before("user_known_at", "user_known_position", or_equal=True)
    )
    is_changed_later = pl.col("changed_at_new") > pl.col("changed_at")
    return both.select(
        "id",
        *(choose(is_opened_earlier, name) for name in OPENED if name != "address"),
        *(choose(is_known_later, name) for name in KNOWN),
        choose(is_changed_later, "changed_at"),
        is_opened_earlier=is_opened_earlier,
        is_changed=is_opened_earlier | is_known_later | is_changed_later,
    )


def merge_payments(stored: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return the payments of carts: those that are stored, unless new lines are earlier, and new ones."""
    both = stored.join(new, on="cart_id", suffix="_new")
    earlier = both.select("cart_id", *(choose(is_before("paid_at", "position"), name) for name in PAYMENT))
    columns = ("cart_id", *PAYMENT)
    return pl.concat(
        [
            earlier,
            stored.join(new, on="cart_id", how="anti").select(columns),
            new.join(stored, on="cart_id", how="anti").select(columns),
        ]
    )


def is_before(at: str, position: str, *, or_equal: bool = False) -> pl.Expr:
    """Return whether the new line is before the one that a stored cart has."""
    new, old = pl.col(f"{position}_new"), pl.col(position)
    is_first = new <= old if or_equal else new < old
    return (pl.col(f"{at}_new") < pl.col(at)) | ((pl.col(f"{at}_new") == pl.col(at)) & is_first)


def choose(is_new: pl.Expr, name: str) -> pl.Expr:
    return pl.when(is_new).then(pl.col(f"{name}_new")).otherwise(pl.col(name)).alias(name)


def update_parameters(
    stored: StoredCarts,
    merged: pl.DataFrame,
    carts: pl.DataFrame,
    items: pl.DataFrame,
    payments: pl.DataFrame,
) -> list[tuple[str, dict[str, str]]]:
    """Return the statements that write what becomes of stored carts, with their parameters.

    :param merged: as `merge_carts` returns them
    :param carts: and items and payments: what the new lines add up to
    """
    changed = merged.filter("is_changed").sort("id")
    frames = {
        "carts/update_carts": changed.filter(~pl.col("is_opened_earlier")).select("id", "changed_at", *KNOWN),
        "carts/merge_carts": carts.join(changed.filter("is_opened_earlier"), on="id", how="semi"),
        "carts/add_cart_items": items.filter(is_among("cart_id", stored.ids)),
        "carts/merge_payments": payments.filter(is_among("cart_id", stored.payments["cart_id"])),
    }
    return [(name, array_literals(rows)) for name, rows in frames.items() if not rows.is_empty()]


def is_among(name: str, ids: pl.Series) -> pl.Expr:
    return pl.col(name).is_in(ids.implode())
