-- Infer goods from new cart lines, and from stored ones after a new product page of their address: for each goods_id
-- the first line with a product page of its address before it, and the product of the last such page. No row where an
-- earlier line has resolved the goods already, so the result does not depend on the order of arrival.
WITH line AS (
    SELECT *
    FROM unnest(
        CAST(:goods_id AS bigint[]),
        CAST(:address AS inet[]),
        CAST(:occurred_at AS timestamptz[]),
        CAST(:position AS bigint[]),
        CAST(:request_id AS text[]),
        CAST(:import_id AS bigint[])
    ) AS new (goods_id, address, occurred_at, position, request_id, import_id)
    UNION
    SELECT
        later.goods_id,
        later.address,
        later.occurred_at,
        later.position,
        CAST(later.id AS text),
        later.import_id
    FROM unnest(CAST(:view_address AS inet[]), CAST(:view_at AS timestamptz[])) AS page (address, since)
    INNER JOIN visit AS later
        ON
            page.address = later.address
            AND later.kind = 'cart'
            AND page.since <= later.occurred_at
),

candidate AS (
    SELECT line.*
    FROM line
    WHERE
        NOT EXISTS (
            SELECT FROM goods
            WHERE
                goods.goods_id = line.goods_id
                AND (goods.learned_at, goods.learned_position, goods.learned_key)
                < (line.occurred_at, line.position, line.request_id COLLATE "C")
        )
)

SELECT DISTINCT ON (candidate.goods_id)
    candidate.goods_id,
    viewed.product_id,
    candidate.occurred_at AS learned_at,
    candidate.position AS learned_position,
    candidate.request_id AS learned_key,
    candidate.import_id AS line_import_id,
    viewed.import_id AS view_import_id,
    goods.product_id AS old_product_id
FROM candidate
CROSS JOIN LATERAL (
    SELECT
        visit.product_id,
        visit.import_id
    FROM visit
    WHERE
        visit.kind = 'product'
        AND visit.address = candidate.address
        AND (visit.occurred_at, visit.position) < (candidate.occurred_at, candidate.position)
    ORDER BY visit.occurred_at DESC, visit.position DESC, visit.id DESC
    LIMIT 1
) AS viewed
LEFT JOIN goods ON candidate.goods_id = goods.goods_id
ORDER BY
    candidate.goods_id,
    candidate.occurred_at,
    candidate.position,
    candidate.request_id COLLATE "C";
