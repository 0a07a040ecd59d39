-- Which categories are in the carts paid in [:since, :until) that hold :category too? Most carts first; ties by name.
WITH paid AS (
    SELECT payment.cart_id
    FROM payment
    WHERE
        payment.paid_at >= :since
        AND payment.paid_at < :until
        AND payment.source = ANY(CAST(:sources AS text[]))
),

held AS (
    SELECT DISTINCT paid.cart_id, product.category_id
    FROM paid
    INNER JOIN cart_item ON paid.cart_id = cart_item.cart_id
    INNER JOIN goods ON cart_item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
),

holding AS (
    SELECT held.cart_id
    FROM held
    WHERE held.category_id = (SELECT category.id FROM category WHERE category.name_sha256 = :category)
)

SELECT
    category.name AS category,
    count(holding.cart_id) AS carts,
    count(*) AS carts_of_other,
    (SELECT count(*) FROM holding) AS carts_of_category,
    (SELECT count(*) FROM paid) AS carts_paid
FROM held
INNER JOIN category ON held.category_id = category.id
LEFT JOIN holding ON held.cart_id = holding.cart_id
WHERE category.name_sha256 <> :category
GROUP BY category.id
HAVING count(holding.cart_id) > 0
ORDER BY carts DESC, category.name COLLATE "C"
LIMIT :limit;
