"""Goods: which product a `goods_id` stands for, inferred from visits.

It is the product that an address viewed last before it put the goods into a cart. The first cart line, in
(time, position, id), with a product page before it decides, so the order in which lines arrive does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from calendar_days import microseconds
from db.columns import Values
from db.models import Goods
from db.queries.addresses import ensure_address_ids
from db.queries.cart_line_pages import CartLines
from db.queries.cart_lines import (
    concatenate,
    live_cart_lines,
    part_cart_lines,
    select_live_lines_after,
    select_live_lines_of_goods,
)
from db.queries.cart_rollups import rollup_changes
from db.queries.goods_inference import Flags, InferredGoods, infer, select_products_of_goods
from db.queries.live_visits import LiveRow
from db.queries.part_columns import PartSpan, select_part_spans
from db.queries.part_lines import (
    PartLines,
    ProductPages,
    order_keys,
    select_part_lines,
)
from db.sql import statement
from db.unique import distinct
from db.visit_ids import ids_of_texts

# Are there cart lines that are not before a moment, live and in other parts?
LATER_CARTS = """
    SELECT
        EXISTS (SELECT FROM live_visit WHERE occurred_at >= later.first AND kind = 'cart'),
        EXISTS (
            SELECT FROM visit_part
            WHERE
                last_at >= later.first
                AND cart_ids IS NOT NULL
                AND id IS DISTINCT FROM CAST(:part AS bigint)
        )
    FROM (SELECT to_timestamp(0) + CAST(:first AS bigint) * interval '1 microsecond') AS later (first)
"""


@dataclass(frozen=True, slots=True)
class NewVisits:
    """What goods are inferred from of newly inserted visits.

    :param address_id: addresses that viewed products, in order, each with the time of its first view
    :param part: the part that they are, whose lines are all in `lines`
    """

    lines: CartLines
    address_id: Values
    viewed_at: Values
    part: PartSpan | None = None


def new_visits_of_part(span: PartSpan, lines: PartLines, pages: ProductPages) -> NewVisits:
    """Return what goods are inferred from of a part."""
    addresses, first = np.unique(pages.address_id.astype(np.int64), return_index=True)
    viewed_at = pages.occurred[first]
    return NewVisits(part_cart_lines(span, lines), addresses, viewed_at, span)


async def new_live_visits(session: AsyncSession, rows: Sequence[LiveRow]) -> NewVisits:
    """Return what goods are inferred from of live visits. Their addresses are stored."""
    ids = await ensure_address_ids(session, {row.address for row in rows if row.address is not None})
    pairs = [(row, ids[row.address]) for row in rows if row.address is not None]
    lines = [
        (row.goods_id, address_id, microseconds(row.occurred_at), row.position, row.request_id)
        for row, address_id in pairs
        if row.kind == "cart" and row.goods_id is not None
    ]
    viewed_at: dict[int, int] = {}
    for row, address_id in pairs:
        if row.kind == "product":
            at = microseconds(row.occurred_at)
            viewed_at[address_id] = min(at, viewed_at.get(address_id, at))
    views = np.array(sorted(viewed_at.items()), np.int64).reshape(-1, 2)
    return NewVisits(live_cart_lines(lines), views[:, 0], views[:, 1])


async def select_inferred_goods(session: AsyncSession, new: NewVisits) -> list[InferredGoods]:
    """Infer goods from new visits, which are inserted already. No other transaction infers meanwhile."""
    lines = await select_candidates(session, new.lines)
    later = await select_candidates(session, await select_later_lines(session, new))
    return await infer(session, concatenate([lines, later]))


async def select_candidates(session: AsyncSession, lines: CartLines) -> CartLines:
    """Return the lines whose goods no line before them has resolved."""
    if not len(lines):
        return lines
    goods_ids = distinct(lines.goods_id)
    rows = await session.execute(
        text(
            "SELECT goods_id, CAST(extract(epoch FROM learned_at) * 1000000 AS bigint) AS learned_at, "
            "learned_position, learned_key FROM goods WHERE goods_id = ANY(CAST(:goods_ids AS bigint[]))"
        ),
        {"goods_ids": goods_ids.tolist()},
    )
    resolved = rows.all()
    keys = np.full(len(goods_ids), b"\xff" * 32, "S32")
    if resolved:
        numbers = np.array([row[:3] for row in resolved], np.int64)
        ids = ids_of_texts([row.learned_key for row in resolved])
        keys[np.searchsorted(goods_ids, numbers[:, 0])] = order_keys(numbers[:, 1], numbers[:, 2], ids)
    return lines.take(lines.order_key <= keys[np.searchsorted(goods_ids, lines.goods_id)])


async def select_later_lines(session: AsyncSession, new: NewVisits) -> CartLines:
    """Return the stored cart lines of the addresses that a new product page may explain."""
    if not len(new.address_id):
        return concatenate([])
    first = int(new.viewed_at.min())
    # Most pages come after all carts, and then nothing need be read.
    is_live, is_in_parts = (
        await session.execute(text(LATER_CARTS), {"first": first, "part": new.part and new.part.id})
    ).one()
    lines = [await select_live_lines_after(session, new.address_id, new.viewed_at)] if is_live else []
    for span in await select_part_spans(session, since=first) if is_in_parts else ():
        early = new.viewed_at <= span.last_at
        if span != new.part and span.cart_ids is not None and early.any():
            stored = part_cart_lines(span, await select_part_lines(session, span))
            lines.append(stored.take(is_after(stored, new.address_id[early], new.viewed_at[early])))
    return concatenate(lines)


def is_after(lines: CartLines, addresses: Values, viewed_at: Values) -> Flags:
    """Return which lines are of the addresses, and not before the address viewed a page."""
    at = np.minimum(np.searchsorted(addresses, lines.address_id), len(addresses) - 1)
    after: Flags = (addresses[at] == lines.address_id) & (viewed_at[at] <= lines.occurred)
    return after


async def reinfer_goods(session: AsyncSession, goods_ids: Sequence[int]) -> None:
    """Infer goods from the remaining visits; delete those that none shows. No other transaction infers."""
    goods = await infer_from_all(session, goods_ids)
    old = await select_products_of_goods(session, list(goods_ids))
    changed_ids = [
        goods_id
        for goods_id, product_id in old.items()
        if goods_id not in goods or goods[goods_id].product_id != product_id
    ]
    async with rollup_changes(session, cart_ids=[], goods_ids=changed_ids):
        await session.execute(
            text("DELETE FROM goods WHERE goods_id = ANY(CAST(:ids AS bigint[]))"), {"ids": changed_ids}
        )
        await upsert_goods(session, list(goods.values()))


async def infer_from_all(session: AsyncSession, goods_ids: Sequence[int]) -> dict[int, InferredGoods]:
    """Infer goods from all visits. Carts show where the goods still are."""
    rows = await session.execute(
        text(
            "SELECT goods_id, min(cart_id), max(cart_id) FROM cart_item "
            "WHERE goods_id = ANY(CAST(:ids AS bigint[])) GROUP BY goods_id"
        ),
        {"ids": list(goods_ids)},
    )
    carts = {goods_id: (first, last) for goods_id, first, last in rows}
    if not carts:
        return {}
    live = await infer(session, await select_live_lines_of_goods(session, list(carts)))
    goods = {each.goods_id: each for each in live}
    spans = [span for span in reversed(await select_part_spans(session)) if span.cart_ids is not None]
    for span in sorted(spans, key=lambda span: span.first_at):
        # Later parts have no line before those that have resolved the goods.
        sought = [
            goods_id
            for goods_id, cart_ids in carts.items()
            if overlap(cart_ids, span.cart_ids)
            and (goods_id not in goods or microseconds(goods[goods_id].learned_at) >= span.first_at)
        ]
        if sought:
            lines = part_cart_lines(span, await select_part_lines(session, span))
            for each in await infer(session, lines.take(np.isin(lines.goods_id, sought))):
                if each.goods_id not in goods or is_before(each, goods[each.goods_id]):
                    goods[each.goods_id] = each
    return goods


def overlap(one: tuple[int, int], other: tuple[int, int] | None) -> bool:
    return other is not None and one[0] <= other[1] and other[0] <= one[1]


def is_before(one: InferredGoods, other: InferredGoods) -> bool:
    """Return whether the line that resolved `one` comes first."""
    first, second = ((each.learned_at, each.learned_position, each.learned_key) for each in (one, other))
    return first < second


async def upsert_goods(session: AsyncSession, goods: Sequence[InferredGoods]) -> None:
    """Store inferred goods. No other transaction infers meanwhile."""
    if goods:
        names = [field.name for field in fields(InferredGoods) if field.name != "old_product_id"]
        columns = {name: [getattr(each, name) for each in goods] for name in names}
        await session.execute(statement("goods/upsert_goods"), columns)


async def select_goods_of_import(
    session: AsyncSession, *, import_id: int, after: int, count: int
) -> list[int]:
    """Return the first `count` goods after an id that were inferred from lines or pages of the import."""
    rows = await session.scalars(
        select(Goods.goods_id)
        .where(
            Goods.goods_id > after,
            or_(Goods.line_import_id == import_id, Goods.view_import_id == import_id),
        )
        .order_by(Goods.goods_id)
        .limit(count)
    )
    return list(rows)


async def select_all_goods(session: AsyncSession, *, after: int, count: int) -> list[int]:
    """Return the first `count` goods after an id."""
    rows = await session.scalars(
        select(Goods.goods_id).where(Goods.goods_id > after).order_by(Goods.goods_id).limit(count)
    )
    return list(rows)
