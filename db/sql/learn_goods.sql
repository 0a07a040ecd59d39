-- For each goods_id not learned yet, the product whose page the cart line's address viewed last before it, of the
-- first cart line in time for which there is one.
INSERT INTO goods (goods_id, product_id)
SELECT DISTINCT ON (line.goods_id) line.goods_id, viewed.product_id
FROM unnest(
    CAST(:goods_id AS bigint[]),
    CAST(:address AS inet[]),
    CAST(:occurred_at AS timestamptz[]),
    CAST(:position AS bigint[])
) AS line (goods_id, address, occurred_at, position)
CROSS JOIN LATERAL (
    SELECT visit.product_id
    FROM visit
    WHERE
        visit.kind = 'product'
        AND visit.address = line.address
        AND (visit.occurred_at, visit.position) < (line.occurred_at, line.position)
    ORDER BY visit.occurred_at DESC, visit.position DESC
    LIMIT 1
) AS viewed
WHERE NOT EXISTS (SELECT FROM goods WHERE goods.goods_id = line.goods_id)
ORDER BY line.goods_id, line.occurred_at, line.position
ON CONFLICT DO NOTHING;
