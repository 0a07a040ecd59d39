-- Delete carts :cart_ids with their goods and payments. Return what they counted for in all roll-ups, as cart_counts and
-- cart_categories count.
WITH sought AS MATERIALIZED (
    SELECT unnest(CAST(:cart_ids AS bigint[])) AS id
),

paid AS (
    DELETE FROM payment USING sought
    WHERE payment.cart_id = sought.id
    RETURNING
        payment.cart_id, payment.paid_at, date_bin('1 day', payment.paid_at, 'epoch') AS day, payment.source
),

item AS (
    DELETE FROM cart_item USING sought
    WHERE cart_item.cart_id = sought.id
    RETURNING cart_item.cart_id, cart_item.goods_id
),

opened AS (
    DELETE FROM cart USING sought
    WHERE cart.id = sought.id
    RETURNING cart.id, date_bin('1 day', cart.opened_at, 'epoch') AS day, cart.source, cart.is_bot, cart.user_id
),

cart_category AS MATERIALIZED (
    SELECT DISTINCT
        paid.cart_id,
        paid.day,
        paid.source,
        opened.is_bot,
        product.category_id
    FROM paid
    INNER JOIN opened ON paid.cart_id = opened.id
    INNER JOIN item ON paid.cart_id = item.cart_id
    INNER JOIN goods ON item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
)

SELECT
    'cart_day' AS rollup,
    opened.day,
    opened.source,
    opened.is_bot,
    paid.cart_id IS NOT NULL AS is_paid,
    CAST(NULL AS bigint) AS user_id,
    CAST(NULL AS int) AS category_id,
    CAST(NULL AS int) AS other_id,
    count(*) AS carts
FROM opened
LEFT JOIN paid ON opened.id = paid.cart_id
GROUP BY opened.day, opened.source, opened.is_bot, paid.cart_id IS NOT NULL
UNION ALL
SELECT
    'payment_day',
    paid.day,
    paid.source,
    opened.is_bot,
    NULL,
    CAST(NULL AS bigint),
    CAST(NULL AS int),
    CAST(NULL AS int),
    count(*)
FROM paid
INNER JOIN opened ON paid.cart_id = opened.id
GROUP BY paid.day, paid.source, opened.is_bot
UNION ALL
SELECT
    'buyer',
    paid.paid_at,
    paid.source,
    opened.is_bot,
    NULL,
    opened.user_id,
    CAST(NULL AS int),
    CAST(NULL AS int),
    count(*)
FROM paid
INNER JOIN opened ON paid.cart_id = opened.id
WHERE opened.user_id IS NOT NULL
GROUP BY paid.paid_at, opened.user_id, paid.source, opened.is_bot
UNION ALL
SELECT
    'paid_category_day',
    cart_category.day,
    cart_category.source,
    cart_category.is_bot,
    NULL,
    CAST(NULL AS bigint),
    cart_category.category_id,
    CAST(NULL AS int),
    count(*)
FROM cart_category
GROUP BY cart_category.category_id, cart_category.day, cart_category.source, cart_category.is_bot
UNION ALL
SELECT
    'paid_pair_day',
    cart_category.day,
    cart_category.source,
    cart_category.is_bot,
    NULL,
    CAST(NULL AS bigint),
    cart_category.category_id,
    other.category_id,
    count(*)
FROM cart_category
INNER JOIN cart_category AS other
    ON cart_category.cart_id = other.cart_id AND cart_category.category_id <> other.category_id
GROUP BY
    cart_category.category_id, cart_category.day, cart_category.source, cart_category.is_bot, other.category_id;
