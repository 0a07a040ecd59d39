-- Count the paid carts, of :cart_ids and of those that hold any of :goods_ids but :without, by the categories of their
-- goods: the carts with a category, and with each pair of categories, by day and source of payment.
-- OFFSET 0 has payments and items looked up cart by cart: PostgreSQL would read all of these tables while they are new.
WITH counted_cart AS (
    SELECT unnest(CAST(:cart_ids AS bigint[])) AS cart_id
    UNION
    SELECT cart_item.cart_id
    FROM cart_item
    WHERE
        cart_item.goods_id = ANY(CAST(:goods_ids AS bigint[]))
        AND cart_item.cart_id <> ALL(CAST(:without AS bigint[]))
),

cart_category AS (
    SELECT DISTINCT
        counted_cart.cart_id,
        date_bin('1 day', paid.paid_at, 'epoch') AS day,
        paid.source,
        paid.is_bot,
        product.category_id
    FROM counted_cart
    CROSS JOIN LATERAL (
        SELECT payment.paid_at, payment.source, cart.is_bot
        FROM payment
        INNER JOIN cart ON payment.cart_id = cart.id
        WHERE payment.cart_id = counted_cart.cart_id OFFSET 0
    ) AS paid
    CROSS JOIN LATERAL (
        SELECT cart_item.goods_id FROM cart_item WHERE cart_item.cart_id = counted_cart.cart_id OFFSET 0
    ) AS item
    INNER JOIN goods ON item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
)

SELECT
    cart_category.category_id,
    cart_category.day,
    cart_category.source,
    cart_category.is_bot,
    CAST(NULL AS int) AS other_id,
    count(*) AS carts
FROM cart_category
GROUP BY cart_category.category_id, cart_category.day, cart_category.source, cart_category.is_bot
UNION ALL
SELECT
    cart_category.category_id,
    cart_category.day,
    cart_category.source,
    cart_category.is_bot,
    other.category_id,
    count(*)
FROM cart_category
INNER JOIN cart_category AS other
    ON cart_category.cart_id = other.cart_id AND cart_category.category_id <> other.category_id
GROUP BY
    cart_category.category_id, cart_category.day, cart_category.source, cart_category.is_bot, other.category_id;
