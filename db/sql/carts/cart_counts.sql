-- What the carts :cart_ids count for, but for what they hold: the carts of each day and source, paid or not; the
-- payments of each day and source; the paid carts of each user and source.
WITH touched AS (
    SELECT
        date_bin('1 day', cart.opened_at, 'epoch') AS opened_on,
        cart.source,
        cart.user_id,
        payment.cart_id IS NOT NULL AS is_paid,
        date_bin('1 day', payment.paid_at, 'epoch') AS paid_on,
        payment.source AS paid_source
    FROM cart
    LEFT JOIN payment ON cart.id = payment.cart_id
    WHERE cart.id = ANY(CAST(:cart_ids AS bigint[]))
)

SELECT
    'cart_day' AS rollup,
    touched.opened_on AS day,
    touched.source,
    touched.is_paid,
    CAST(NULL AS bigint) AS user_id,
    count(*) AS carts
FROM touched
GROUP BY touched.opened_on, touched.source, touched.is_paid
UNION ALL
SELECT 'payment_day', touched.paid_on, touched.paid_source, NULL, CAST(NULL AS bigint), count(*)
FROM touched
WHERE touched.is_paid
GROUP BY touched.paid_on, touched.paid_source
UNION ALL
SELECT 'buyer', NULL, touched.paid_source, NULL, touched.user_id, count(*)
FROM touched
WHERE touched.is_paid AND touched.user_id IS NOT NULL
GROUP BY touched.user_id, touched.paid_source;
