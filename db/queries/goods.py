"""Goods: which product a `goods_id` stands for, inferred from visits.

It is the product that an address viewed last before it put the goods into a cart. The first cart line, in
(time, position, key), with a product page before it decides, so the order in which lines arrive does not.
"""

from collections.abc import Sequence

import polars as pl
from sqlalchemy import RowMapping, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import array_literals, execute_with_arrays
from db.models import Cart, Goods
from db.queries.cart_rollups import rollup_changes
from db.sql import statement
from db.threads import run_in_thread

KEY = ("occurred_at", "position", "request_id")
InferredGoods = RowMapping  # the columns of `goods`, and old_product_id, which was inferred before


async def select_inferred_goods(session: AsyncSession, visits: pl.DataFrame) -> list[InferredGoods]:
    """Infer goods from new visits, which are inserted already."""
    lines, views = await run_in_thread(lambda: (cart_lines_of(visits), views_of(visits)))
    # Most lines are of resolved goods, and most pages come after all carts: PostgreSQL need not read those.
    if not lines.is_empty():
        resolved = await select_resolved_goods(session, lines)
        lines = lines.filter(~pl.col("goods_id").is_in(resolved))
    if not views.is_empty():
        last_change = await session.scalar(select(func.max(Cart.changed_at)))
        views = views.filter(pl.col("view_at") <= pl.lit(last_change, views.schema["view_at"]))
    if lines.is_empty() and views.is_empty():
        return []
    parameters = await run_in_thread(lambda: array_literals(lines) | array_literals(views))
    rows = await execute_with_arrays(session, statement("goods/inferred_goods"), parameters)
    return list(rows.mappings())


async def select_resolved_goods(session: AsyncSession, lines: pl.DataFrame) -> list[int]:
    """Return the goods that a line before all of these has resolved."""
    first = lines.sort(*KEY).unique("goods_id", keep="first", maintain_order=True)
    parameters = array_literals(first.select("goods_id", *KEY))
    rows = await execute_with_arrays(session, statement("goods/resolved_goods"), parameters)
    return list(rows.scalars())


async def reinfer_goods(session: AsyncSession, goods_ids: Sequence[int]) -> None:
    """Infer goods from the remaining visits; delete those that none shows. The caller is the only writer."""
    rows = await session.execute(statement("goods/reinfer_goods"), {"goods_ids": list(goods_ids)})
    goods = list(rows.mappings())
    changed_ids = [row["goods_id"] for row in goods if row["product_id"] != row["old_product_id"]]
    async with rollup_changes(session, cart_ids=[], goods_ids=changed_ids):
        await session.execute(
            text("DELETE FROM goods WHERE goods_id = ANY(CAST(:ids AS bigint[]))"), {"ids": changed_ids}
        )
        await upsert_goods(session, [row for row in goods if row["product_id"] is not None])


async def upsert_goods(session: AsyncSession, goods: Sequence[InferredGoods]) -> None:
    """Store inferred goods. No other transaction infers meanwhile."""
    if goods:
        columns = {name: [row[name] for row in goods] for name in goods[0]}
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


async def select_orphaned_goods(session: AsyncSession, *, after: int, count: int) -> list[int]:
    """Return the first `count` goods after an id that no visit explains any more."""
    rows = await session.scalars(statement("goods/orphaned_goods"), {"after": after, "count": count})
    return list(rows)


def cart_lines_of(visits: pl.DataFrame) -> pl.DataFrame:
    lines = visits.filter(pl.col("kind") == "cart")
    return lines.select("goods_id", "address", *KEY, "import_id")


def views_of(visits: pl.DataFrame) -> pl.DataFrame:
    """Return the addresses that viewed products, each with the time of its first view."""
    views = visits.filter((pl.col("kind") == "product") & pl.col("address").is_not_null())
    return views.group_by(view_address="address").agg(view_at=pl.col("occurred_at").min())
