-- Count the carts :cart_ids in all roll-ups that do not depend on their goods: by day, source and traffic, paid or
-- not; their payments by day, source and traffic; the paid ones by time, user, source and traffic.
WITH counted_cart AS (
    SELECT
        date_bin('1 day', cart.opened_at, 'epoch') AS opened_on,
        cart.source,
        cart.is_bot,
        cart.user_id,
        payment.cart_id IS NOT NULL AS is_paid,
        payment.paid_at,
        date_bin('1 day', payment.paid_at, 'epoch') AS paid_on,
        payment.source AS paid_source
    FROM cart
    LEFT JOIN payment ON cart.id = payment.cart_id
    WHERE cart.id = ANY(CAST(:cart_ids AS bigint[]))
)

SELECT
    'cart_day' AS rollup,
    counted_cart.opened_on AS day,
    counted_cart.source,
    counted_cart.is_bot,
    counted_cart.is_paid,
    CAST(NULL AS bigint) AS user_id,
    count(*) AS carts
FROM counted_cart
GROUP BY counted_cart.opened_on, counted_cart.source, counted_cart.is_bot, counted_cart.is_paid
UNION ALL
SELECT
    'payment_day',
    counted_cart.paid_on,
    counted_cart.paid_source,
    counted_cart.is_bot,
    NULL,
    CAST(NULL AS bigint),
    count(*)
FROM counted_cart
WHERE counted_cart.is_paid
GROUP BY counted_cart.paid_on, counted_cart.paid_source, counted_cart.is_bot
UNION ALL
SELECT
    'buyer',
    counted_cart.paid_at,
    counted_cart.paid_source,
    counted_cart.is_bot,
    NULL,
    counted_cart.user_id,
    count(*)
FROM counted_cart
WHERE counted_cart.is_paid AND counted_cart.user_id IS NOT NULL
GROUP BY counted_cart.paid_at, counted_cart.user_id, counted_cart.paid_source, counted_cart.is_bot;
