"""Lines that put goods into carts: of parts, and of live visits."""

from collections.abc import Iterable, Sequence

import numpy as np
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import Values
from db.queries.cart_line_pages import CartLines
from db.queries.part_columns import PartSpan
from db.queries.part_lines import CART, PartLines, order_keys
from db.sessions import AnyRow
from db.sql import statement
from db.visit_ids import ids_of_texts


def concatenate(parts: Iterable[CartLines]) -> CartLines:
    parts = [part for part in parts if len(part)]
    if not parts:
        none = np.zeros(0, np.int64)
        return CartLines(none, none, np.zeros(0, "S32"), none)
    return CartLines(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("goods_id", "address_id", "order_key", "import_id")
        )
    )


def part_cart_lines(span: PartSpan, lines: PartLines) -> CartLines:
    """Return the lines of a part that put goods into carts."""
    rows = np.flatnonzero(lines.kind == CART)
    occurred = lines.occurred[rows]
    keys = order_keys(occurred, lines.position[rows], lines.id[rows])
    return CartLines(
        lines.goods_id[rows],
        lines.address_id[rows].astype(np.int64),
        keys,
        np.full(len(rows), span.import_id, np.int64),
    )


async def select_live_lines_after(session: AsyncSession, address_ids: Values, times: Values) -> CartLines:
    """Return the live lines of addresses that are not before the time of each."""
    return await select_live_lines(
        session,
        statement("goods/live_lines_after"),
        {"address_ids": address_ids.tolist(), "times": times.tolist()},
    )


async def select_live_lines_of_goods(session: AsyncSession, goods_ids: Sequence[int]) -> CartLines:
    """Return the live lines that put these goods into carts."""
    return await select_live_lines(
        session, statement("goods/live_lines_of_goods"), {"goods_ids": list(goods_ids)}
    )


async def select_live_lines(
    session: AsyncSession, query: TextClause, parameters: dict[str, list[int]]
) -> CartLines:
    rows = await session.execute(query, parameters)
    return live_cart_lines(rows.all())


def live_cart_lines(rows: Sequence[AnyRow | tuple[int, int, int, int, str]]) -> CartLines:
    """Return lines of rows: goods_id, address_id, microseconds since 1970, position, request_id."""
    if not rows:
        return concatenate([])
    goods_id, address_id, occurred, position = np.array([row[:4] for row in rows], np.int64).T
    keys = order_keys(occurred, position, ids_of_texts([row[4] for row in rows]))
    return CartLines(goods_id, address_id, keys, np.zeros(len(rows), np.int64))
