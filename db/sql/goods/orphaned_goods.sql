-- Select the first :count goods after :after that no visit explains any more: the cart line from which they were
-- inferred is deleted, or all product pages before it. As a scalar the inner query runs for each row alone.
SELECT goods.goods_id
FROM goods
WHERE
    goods.goods_id > :after
    AND (
        SELECT line.id
        FROM visit AS line
        CROSS JOIN LATERAL (
            SELECT 1
            FROM visit AS viewed
            WHERE
                viewed.kind = 'product'
                AND viewed.address = line.address
                AND (viewed.occurred_at, viewed.position) < (line.occurred_at, line.position)
            LIMIT 1
        ) AS explained
        WHERE line.occurred_at = goods.learned_at AND CAST(line.id AS text) = goods.learned_key
    ) IS NULL
ORDER BY goods.goods_id
LIMIT :count;
