-- What the carts :cart_ids, and those that hold any of :goods_ids, count for by what they hold, once they are paid:
-- the carts that hold a category, and those that hold it with another one, of each day and source of payment.
-- OFFSET 0 has payments and items looked up cart by cart: PostgreSQL would read all of these tables while they are new.
WITH touched AS (
    SELECT unnest(CAST(:cart_ids AS bigint[])) AS cart_id
    UNION
    SELECT cart_item.cart_id FROM cart_item WHERE cart_item.goods_id = ANY(CAST(:goods_ids AS bigint[]))
),

held AS (
    SELECT DISTINCT
        touched.cart_id,
        date_bin('1 day', paid.paid_at, 'epoch') AS day,
        paid.source,
        product.category_id
    FROM touched
    CROSS JOIN LATERAL (
        SELECT payment.paid_at, payment.source FROM payment WHERE payment.cart_id = touched.cart_id OFFSET 0
    ) AS paid
    CROSS JOIN LATERAL (
        SELECT cart_item.goods_id FROM cart_item WHERE cart_item.cart_id = touched.cart_id OFFSET 0
    ) AS item
    INNER JOIN goods ON item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
)

SELECT
    held.category_id,
    held.day,
    held.source,
    CAST(NULL AS int) AS other_id,
    count(*) AS carts
FROM held
GROUP BY held.category_id, held.day, held.source
UNION ALL
SELECT held.category_id, held.day, held.source, other.category_id, count(*)
FROM held
INNER JOIN held AS other ON held.cart_id = other.cart_id AND held.category_id <> other.category_id
GROUP BY held.category_id, held.day, held.source, other.category_id;
