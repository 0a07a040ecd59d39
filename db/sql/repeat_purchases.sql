-- How many users paid for one cart, for two, three… in [:since, :until)? By number of purchases.
SELECT bought.purchases, count(*) AS users
FROM (
    SELECT cart.user_id, count(*) AS purchases
    FROM payment
    INNER JOIN cart ON payment.cart_id = cart.id
    WHERE
        payment.paid_at >= :since
        AND payment.paid_at < :until
        AND payment.source = ANY(CAST(:sources AS text[]))
        AND cart.user_id IS NOT NULL
    GROUP BY cart.user_id
) AS bought
GROUP BY bought.purchases
ORDER BY bought.purchases;
