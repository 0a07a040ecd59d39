-- Select the goods, of those with new cart lines, that a stored line before their first new one has resolved for good.
SELECT goods.goods_id
FROM unnest(
    CAST(:goods_id AS bigint[]),
    CAST(:occurred_at AS timestamptz[]),
    CAST(:position AS bigint[]),
    CAST(:request_id AS text[])
) AS first (goods_id, occurred_at, position, request_id)
INNER JOIN goods ON first.goods_id = goods.goods_id
WHERE
    (goods.learned_at, goods.learned_position, goods.learned_key)
    < (first.occurred_at, first.position, first.request_id COLLATE "C");
