-- How many carts opened in [:since, :until) are there, how many of them paid, and how many unpaid with no change
-- since :unchanged_since?
SELECT
    count(*) AS carts,
    count(payment.cart_id) AS paid,
    count(*) FILTER (WHERE payment.cart_id IS NULL AND cart.changed_at <= :unchanged_since) AS unpaid
FROM cart
LEFT JOIN payment ON cart.id = payment.cart_id
WHERE
    cart.opened_at >= :since
    AND cart.opened_at < :until
    AND cart.source = ANY(CAST(:sources AS text[]));
