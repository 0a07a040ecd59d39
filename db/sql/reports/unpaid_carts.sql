-- How many carts opened in [:since, :until) are there, how many of them paid, and how many unpaid with no change
-- since :unchanged_since? Whole days [:first_day, :last_day) come from the roll-up, the partial days at both ends from
-- the carts; of the unpaid ones, the few that have changed since are subtracted.
SELECT
    CAST(coalesce(sum(counted.carts), 0) AS bigint) AS carts,
    CAST(coalesce(sum(counted.carts) FILTER (WHERE counted.is_paid), 0) AS bigint) AS paid,
    CAST(coalesce(sum(counted.carts) FILTER (WHERE NOT counted.is_paid), 0) AS bigint) - (
        SELECT count(*)
        FROM cart AS young
        WHERE
            young.changed_at > :unchanged_since
            AND young.opened_at >= :since
            AND young.opened_at < :until
            AND young.source = ANY(CAST(:sources AS text[]))
            AND young.is_bot = ANY(CAST(:bots AS boolean[]))
            AND NOT EXISTS (SELECT FROM payment WHERE payment.cart_id = young.id)
    ) AS unpaid
FROM (
    SELECT cart_day.is_paid, cart_day.carts
    FROM cart_day
    WHERE
        cart_day.day >= :first_day
        AND cart_day.day < :last_day
        AND cart_day.source = ANY(CAST(:sources AS text[]))
        AND cart_day.is_bot = ANY(CAST(:bots AS boolean[]))
    UNION ALL
    SELECT payment.cart_id IS NOT NULL AS is_paid, count(*) AS carts
    FROM cart
    LEFT JOIN payment ON cart.id = payment.cart_id
    WHERE
        (
            (cart.opened_at >= :since AND cart.opened_at < :first_day)
            OR (cart.opened_at >= :last_day AND cart.opened_at < :until)
        )
        AND cart.source = ANY(CAST(:sources AS text[]))
        AND cart.is_bot = ANY(CAST(:bots AS boolean[]))
    GROUP BY payment.cart_id IS NOT NULL
) AS counted;
