"""The visits for the benchmarks of lists, statistics and exports. BENCH_VISITS sets their number.

They are made as rows, of which those of logs are put into parts by SQL, and the live ones into their table.
"""

import os
from contextlib import AbstractContextManager

from bench.many_rows import Served, serve_many_rows

ARRAYS = (
    "occurred, key, position, address_id, page_id, kind, cart_id, goods_id, amount, user_id, method, status, "
    "bytes, referrer_id, agent_id"
)
VISITS = int(os.environ.get("BENCH_VISITS", "1000000"))
# 90 days of visits in the order of their times, a tenth of them live; 200,000 addresses, the first the most
# frequent, some without a country; 20 categories of 12 products each; 2,000 agents, a tenth of them bots;
# 20,000 referrers of 500 hosts.
NAMES = (
    """
    INSERT INTO category (name, name_sha256)
    SELECT name, sha256(name::bytea)
    FROM (SELECT 'category_' || number AS name FROM generate_series(0, 19) AS number) AS names""",
    """
    INSERT INTO product (category_id, name, name_sha256)
    SELECT category.id, 'product_' || n, sha256(('product_' || n)::bytea)
    FROM category CROSS JOIN generate_series(0, 11) n""",
    """
    INSERT INTO agent (id, agent, digest, browser, os, device, is_bot)
    SELECT
        n, 'agent ' || n, sha256(('agent ' || n)::bytea), 'browser_' || n % 40, 'os_' || n % 12,
        (ARRAY['desktop', 'mobile', 'tablet'])[1 + n % 3], n % 10 = 0
    FROM generate_series(1, 2000) n""",
    """
    INSERT INTO referrer (id, url, digest, host)
    SELECT
        n, 'https://host-' || n % 500 || '.example/' || n,
        sha256(('https://host-' || n % 500 || '.example/' || n)::bytea), 'host-' || n % 500 || '.example'
    FROM generate_series(1, 20000) n""",
)
PART = 80_000  # visits of a part
MADE = """
CREATE UNLOGGED TABLE made_visit AS
SELECT
    CASE WHEN live THEN at ELSE date_trunc('second', at) END AS occurred_at,
    number AS position,
    CASE WHEN NOT live THEN 'log' WHEN number % 3 = 0 THEN 'page' ELSE 'api' END AS source,
    draw.kind,
    inet '20.0.0.0' + visitor * 7919 AS address,
    CASE
        WHEN visitor % 20 > 0 THEN 'X' || chr(65 + (visitor % 7 * (visitor % 5 + 1))::int % 26)
    END AS country,
    category.id AS category_id,
    product.id AS product_id,
    CASE WHEN live OR draw.kind = 'pay' THEN visitor + 1 END AS user_id,
    CASE WHEN draw.kind IN ('cart', 'pay') THEN number / 20 + 1 END AS cart_id,
    1 + (visitor * 31 % 2000) AS agent_id,
    CASE WHEN number % 3 = 0 THEN 1 + (number * 7 % 20000) END AS referrer_id,
    CASE WHEN number % 50 = 0 THEN 404 WHEN number % 7 = 0 THEN 304 ELSE 200 END AS status,
    CASE draw.kind
        WHEN 'category' THEN '/' || category.name || '/'
        WHEN 'product' THEN '/' || category.name || '/' || product.name || '/'
        WHEN 'cart' THEN '/cart?goods_id=1&amount=1&cart_id=' || number / 20 + 1
        WHEN 'pay' THEN '/pay?user_id=' || visitor + 1 || '&cart_id=' || number / 20 + 1
        ELSE '/'
    END AS page_url
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
STORED = (
    "INSERT INTO address (address, country) SELECT DISTINCT address, country FROM made_visit",
    """
    INSERT INTO page (url, kind, category_id, product_id, digest)
    SELECT DISTINCT page_url, left(kind, 1)::"char", category_id, product_id, sha256(page_url::bytea)
    FROM made_visit WHERE source = 'log' AND kind IN ('main', 'category', 'product')""",
    """
    INSERT INTO live_visit (
        occurred_at, request_id, position, source, kind, address, country, category_id, product_id, user_id,
        cart_id, page_url, agent_id, referrer_id, is_bot
    )
    SELECT
        occurred_at, gen_random_uuid()::text, position, source, kind, address, country, category_id,
        product_id, user_id, cart_id, page_url, agent_id, referrer_id, agent_id % 10 = 0
    FROM made_visit WHERE source <> 'log' ORDER BY position""",
    f"""
    WITH part AS (
    SELECT
        gen_random_uuid() AS token, min(occurred_at) AS first_at, max(occurred_at) AS last_at,
        count(*) AS visits,
        min(position) AS first_position,
        coalesce(array_agg(DISTINCT page_id) FILTER (WHERE page_id > 0), '{{}}') AS page_ids,
        int8range(min(cart_id), max(cart_id), '[]') AS cart_ids,
        array_agg(occurred_at) AS occurred, array_agg(position::bigint * 7919 % 1000003 * 2000003) AS key,
        array_agg(position) AS position, array_agg(address_id) AS address_id, array_agg(page_id) AS page_id,
        array_agg(code::"char") AS kind, array_agg(cart_id) AS cart_id,
        array_agg(CASE WHEN kind = 'cart' THEN 1 END) AS goods_id,
        array_agg(CASE WHEN kind = 'cart' THEN 1 END) AS amount, array_agg(user_id) AS user_id,
        array_agg('g'::"char") AS method, array_agg(status::smallint) AS status,
        array_agg(position::bigint % 10000) AS bytes, array_agg(referrer_id) AS referrer_id,
        array_agg(agent_id) AS agent_id
    FROM (
        SELECT
            made_visit.*, address.id AS address_id, coalesce(page.id, 0) AS page_id,
            CASE made_visit.kind
                WHEN 'cart' THEN 't' WHEN 'pay' THEN 'y' ELSE left(made_visit.kind, 1)
            END AS code
        FROM made_visit
        INNER JOIN address ON made_visit.address = address.address
        LEFT JOIN page ON made_visit.page_url = page.url
        WHERE made_visit.source = 'log'
        ORDER BY made_visit.occurred_at, made_visit.position
    ) AS line
    GROUP BY line.position / {PART}
    ),
    columns AS (
        INSERT INTO visit_part_columns (token, {ARRAYS}) SELECT token, {ARRAYS} FROM part
    )
    INSERT INTO visit_part (
        token, import_id, first_at, last_at, visits, first_position, host, page_ids, cart_ids
    )
    SELECT token, 1, first_at, last_at, visits, first_position, '', page_ids, cart_ids FROM part""",
    """
    INSERT INTO request_quarter (quarter, source, is_bot, requests)
    SELECT date_bin('15 minutes', occurred_at, 'epoch'), source, agent_id % 10 = 0, count(*)
    FROM made_visit GROUP BY 1, 2, 3""",
    "DROP TABLE made_visit",
    "VACUUM ANALYZE visit_part, visit_part_columns",
)


def serve_many_visits() -> AbstractContextManager[Served]:
    return serve_many_rows("live_visit", [*NAMES, MADE, *STORED], VISITS)
