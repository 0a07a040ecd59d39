-- How many users paid for one cart, for two, three… in [:since, :until)? By number of purchases. If the period
-- holds all payments, the roll-up has the counts (by :source and :traffic, the report's parameters); else payments are counted.
WITH period AS (
    -- min and max are read at the ends of an index; EXISTS would be planned as if a row were found soon.
    SELECT
        (SELECT min(payment.paid_at) FROM payment) >= :since
        AND (SELECT max(payment.paid_at) FROM payment) < :until AS is_all
)

SELECT buyer_count.purchases, buyer_count.users
FROM buyer_count
WHERE
    buyer_count.sources = :source
    AND buyer_count.traffic = :traffic
    AND (SELECT period.is_all FROM period)
UNION ALL
SELECT bought.purchases, count(*) AS users
FROM (
    SELECT count(*) AS purchases
    FROM payment
    INNER JOIN cart ON payment.cart_id = cart.id
    WHERE
        NOT (SELECT period.is_all FROM period)
        AND payment.paid_at >= :since
        AND payment.paid_at < :until
        AND payment.source = ANY(CAST(:sources AS text[]))
        AND cart.is_bot = ANY(CAST(:bots AS boolean[]))
        AND cart.user_id IS NOT NULL
    GROUP BY cart.user_id
) AS bought
GROUP BY bought.purchases
ORDER BY purchases;
