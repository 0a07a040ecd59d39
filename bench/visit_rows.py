"""The visits for the benchmarks of lists, statistics and exports. BENCH_VISITS sets their number."""

import os
from contextlib import AbstractContextManager

from bench.many_rows import Served, serve_many_rows

VISITS = int(os.environ.get("BENCH_VISITS", "1000000"))
# 90 days of visits in the order of their times, a tenth of them live; 200,000 addresses, the first the most
# frequent, some without a country; 20 categories of 12 products each.
NAMES = (
    """
    INSERT INTO category (name, name_sha256)
    SELECT name, sha256(name::bytea)
    FROM (SELECT 'category_' || number AS name FROM generate_series(0, 19) AS number) AS names""",
    """
    INSERT INTO product (category_id, name, name_sha256)
    SELECT category.id, 'product_' || n, sha256(('product_' || n)::bytea)
    FROM category CROSS JOIN generate_series(0, 11) n""",
)
VISIT = """
INSERT INTO visit (
    occurred_at, request_id, position, source, kind, address, country, category_id, product_id, user_id,
    cart_id, page_url
)
SELECT
    CASE WHEN live THEN at ELSE date_trunc('second', at) END,
    CASE WHEN live THEN gen_random_uuid()::text ELSE upper(left(md5(number::text), 8)) END,
    number,
    CASE WHEN NOT live THEN 'log' WHEN number % 3 = 0 THEN 'page' ELSE 'api' END,
    draw.kind,
    inet '20.0.0.0' + visitor * 7919,
    CASE WHEN visitor % 20 > 0 THEN 'X' || chr(65 + (visitor % 7 * (visitor % 5 + 1))::int % 26) END,
    category.id,
    product.id,
    CASE WHEN live OR draw.kind = 'pay' THEN visitor END,
    CASE WHEN draw.kind IN ('cart', 'pay') THEN number / 20 END,
    CASE draw.kind
        WHEN 'category' THEN '/' || category.name || '/'
        WHEN 'product' THEN '/' || category.name || '/' || product.name || '/'
        WHEN 'cart' THEN '/cart?goods_id=1&amount=1&cart_id=' || number / 20
        WHEN 'pay' THEN '/pay?user_id=' || visitor || '&cart_id=' || number / 20
        ELSE '/'
    END
FROM (
    SELECT
        number,
        timestamptz '2026-01-01 00:00Z' + number::float8 / $1::int * interval '90 days' AS at,
        number % 10 = 0 AS live,
        (random() * random() * 200000)::int AS visitor,
        (ARRAY['category', 'category', 'product', 'product', 'product', 'cart', 'pay', 'main'])[
            1 + floor(random() * 8)::int
        ] AS kind,
        floor(random() * random() * 20)::int AS of_category,
        floor(random() * 12)::int AS of_product
    FROM generate_series(1, $1::int) AS number
) AS draw
LEFT JOIN category ON draw.kind IN ('category', 'product') AND category.name = 'category_' || of_category
LEFT JOIN product
    ON draw.kind = 'product' AND product.category_id = category.id AND product.name = 'product_' || of_product
ORDER BY number
"""
ROLLUPS = (
    "INSERT INTO address SELECT DISTINCT address, country FROM visit",
    """
    INSERT INTO request_quarter
    SELECT date_bin('15 minutes', occurred_at, 'epoch'), source, count(*) FROM visit GROUP BY 1, 2""",
)


def serve_many_visits() -> AbstractContextManager[Served]:
    return serve_many_rows("visit", [*NAMES, VISIT, *ROLLUPS], VISITS)
