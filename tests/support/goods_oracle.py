"""Goods inferred by SQL from all visits, as the view shows them: what numpy infers from parts must agree."""

from sqlalchemy import text

from db.database import Database

# Each goods_id's first cart line, in (time, position, id), with a product page of its address before it, and
# the last of these pages.
GOODS = """
    SELECT DISTINCT ON (line.goods_id)
        line.goods_id, viewed.product_id, line.occurred_at, line.position, CAST(line.id AS text),
        line.import_id, viewed.import_id
    FROM visit AS line
    CROSS JOIN LATERAL (
        SELECT page.product_id, page.import_id
        FROM visit AS page
        WHERE
            page.kind = 'product'
            AND page.address = line.address
            AND (page.occurred_at, page.position) < (line.occurred_at, line.position)
        ORDER BY page.occurred_at DESC, page.position DESC, page.id DESC
        LIMIT 1
    ) AS viewed
    WHERE line.kind = 'cart'
    ORDER BY line.goods_id, line.occurred_at, line.position, line.id
"""
STORED = """
    SELECT
        goods_id, product_id, learned_at, learned_position, learned_key, line_import_id, view_import_id
    FROM goods ORDER BY goods_id
"""


async def check_goods(db: Database) -> None:
    """Compare the stored goods with those that all visits show."""
    async with db.transaction() as session:
        stored = [tuple(row) for row in await session.execute(text(STORED))]
        assert stored == [tuple(row) for row in await session.execute(text(GOODS))]
