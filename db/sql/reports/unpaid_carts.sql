-- How many carts opened on whole days [:first_day, :last_day) are there, and how many of them paid? And how many carts
-- opened in [:since, :until) are unpaid and have changed since :unchanged_since, which are few? The carts of partial
-- days are added from their columns (service/columns/cart_days.py).
SELECT
    CAST(coalesce(sum(cart_day.carts), 0) AS bigint) AS carts,
    CAST(coalesce(sum(cart_day.carts) FILTER (WHERE cart_day.is_paid), 0) AS bigint) AS paid,
    (
        SELECT count(*)
        FROM cart AS young
        WHERE
            young.changed_at > :unchanged_since
            AND young.opened_at >= :since
            AND young.opened_at < :until
            AND young.source = ANY(CAST(:sources AS text[]))
            AND young.is_bot = ANY(CAST(:bots AS boolean[]))
            AND NOT EXISTS (SELECT FROM payment WHERE payment.cart_id = young.id)
    ) AS young
FROM cart_day
WHERE
    cart_day.day >= :first_day
    AND cart_day.day < :last_day
    AND cart_day.source = ANY(CAST(:sources AS text[]))
    AND cart_day.is_bot = ANY(CAST(:bots AS boolean[]));
