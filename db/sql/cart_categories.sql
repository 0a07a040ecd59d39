-- What the carts :cart_ids, and those that hold any of :goods_ids, count for by what they hold, once they are paid:
-- the carts that hold a category, and those that hold it with another one, of each day and source of payment.
WITH touched AS (
    SELECT unnest(CAST(:cart_ids AS bigint[])) AS cart_id
    UNION
    SELECT cart_item.cart_id FROM cart_item WHERE cart_item.goods_id = ANY(CAST(:goods_ids AS bigint[]))
),

held AS (
    SELECT DISTINCT
        payment.cart_id,
        date_bin('1 day', payment.paid_at, 'epoch') AS day,
        payment.source,
        product.category_id
    FROM touched
    INNER JOIN payment ON touched.cart_id = payment.cart_id
    INNER JOIN cart_item ON payment.cart_id = cart_item.cart_id
    INNER JOIN goods ON cart_item.goods_id = goods.goods_id
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
