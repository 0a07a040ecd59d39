"""Infers goods from cart lines: each by the first line with a product page of its address before it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, any_, cast, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from calendar_days import instant
from db.columns import Values
from db.models import Goods
from db.queries.cart_line_pages import (
    CartLines,
    LastPages,
    PageBounds,
    select_last_pages,
    select_page_bounds,
)
from db.queries.part_lines import ORDER_KEY, OrderKeys
from db.visit_ids import id_texts

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class InferredGoods:
    """The columns of `goods`, and the product that was inferred before."""

    goods_id: int
    product_id: int
    learned_at: datetime
    learned_position: int
    learned_key: str
    line_import_id: int | None
    view_import_id: int | None
    old_product_id: int | None


async def infer(session: AsyncSession, lines: CartLines) -> list[InferredGoods]:
    """Return the goods that these lines resolve: each by the first line with a product page before it."""
    if not len(lines):
        return []
    order = np.argsort(lines.order_key, kind="stable")
    lines = lines.take(order[np.argsort(lines.goods_id[order], kind="stable")])
    bounds = await select_page_bounds(session, lines)
    lines = lines.take(may_have_page(lines, bounds))
    goods: list[InferredGoods] = []
    count = 1  # of lines of each goods: mostly the first has a page
    while len(lines):
        starts = np.searchsorted(lines.goods_id, lines.goods_id)
        is_next = np.arange(len(lines)) - starts < count
        batch, rest = lines.take(is_next), lines.take(~is_next)
        pages = await select_last_pages(session, batch, bounds)
        rows = np.flatnonzero(pages.mask())
        first = rows[np.unique(batch.goods_id[rows], return_index=True)[1]]
        goods += await inferred_goods(session, batch, pages, first)
        lines = rest.take(~np.isin(rest.goods_id, batch.goods_id[first]))
        count *= 8
    return goods


def may_have_page(lines: CartLines, bounds: PageBounds) -> Flags:
    occurred = lines.occurred
    may: Flags = (occurred >= bounds.first_live) | (bounds.first_in_parts(lines.address_id) <= occurred)
    return may


async def inferred_goods(
    session: AsyncSession, lines: CartLines, pages: LastPages, rows: Values
) -> list[InferredGoods]:
    """Return the goods that some lines resolve."""
    lines = lines.take(rows)
    page_ids, product_ids, page_imports = pages.page_id[rows], pages.product_id[rows], pages.import_id[rows]
    goods_ids = lines.goods_id.tolist()
    products = await session.execute(
        text("SELECT id, product_id FROM page WHERE id = ANY(:ids)"), {"ids": np.unique(page_ids).tolist()}
    )
    product_of: dict[int, int] = dict(products.all())
    old = await select_products_of_goods(session, goods_ids)
    return [
        InferredGoods(
            goods_id,
            product_id or product_of[page_id],
            instant(occurred),
            position,
            learned_key,
            import_id or None,
            page_import or None,
            old.get(goods_id),
        )
        for goods_id, occurred, position, learned_key, import_id, page_id, product_id, page_import in zip(
            goods_ids,
            lines.occurred.tolist(),
            lines.position.tolist(),
            id_texts(ids_of(lines.order_key)),
            lines.import_id.tolist(),
            page_ids.tolist(),
            product_ids.tolist(),
            page_imports.tolist(),
            strict=True,
        )
    ]


def ids_of(keys: OrderKeys) -> OrderKeys:
    return np.ascontiguousarray(keys.view(ORDER_KEY)["id"]).view("S16")


async def select_products_of_goods(session: AsyncSession, goods_ids: list[int]) -> dict[int, int]:
    """Return the products that goods stand for, of those that are known."""
    goods = select(Goods.goods_id, Goods.product_id)
    rows = await session.execute(goods.where(Goods.goods_id == any_(cast(goods_ids, ARRAY(BigInteger)))))
    return dict(rows.all())
