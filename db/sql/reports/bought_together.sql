-- Which categories are in the carts paid in [:since, :until) that hold :category too? Most carts first; ties by name.
-- Whole days [:first_day, :last_day) come from the roll-ups, the broken days at both ends from the carts.
WITH asked AS (
    SELECT category.id FROM category WHERE category.name_sha256 = :category
),

broken AS (
    SELECT payment.cart_id
    FROM payment
    WHERE
        (
            (payment.paid_at >= :since AND payment.paid_at < :first_day)
            OR (payment.paid_at >= :last_day AND payment.paid_at < :until)
        )
        AND payment.source = ANY(CAST(:sources AS text[]))
),

held AS (
    SELECT DISTINCT broken.cart_id, product.category_id
    FROM broken
    INNER JOIN cart_item ON broken.cart_id = cart_item.cart_id
    INNER JOIN goods ON cart_item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
),

together AS (
    SELECT counted.other_id, sum(counted.carts) AS carts
    FROM (
        SELECT pair.other_id, pair.carts
        FROM paid_pair_day AS pair
        WHERE
            pair.category_id = (SELECT asked.id FROM asked)
            AND pair.day >= :first_day
            AND pair.day < :last_day
            AND pair.source = ANY(CAST(:sources AS text[]))
        UNION ALL
        SELECT other.category_id, count(*)
        FROM held
        INNER JOIN held AS other ON held.cart_id = other.cart_id AND held.category_id <> other.category_id
        WHERE held.category_id = (SELECT asked.id FROM asked)
        GROUP BY other.category_id
    ) AS counted
    GROUP BY counted.other_id
),

alone AS (
    SELECT counted.category_id, sum(counted.carts) AS carts
    FROM (
        SELECT single.category_id, single.carts
        FROM paid_category_day AS single
        WHERE
            single.category_id IN (SELECT together.other_id FROM together UNION ALL SELECT asked.id FROM asked)
            AND single.day >= :first_day
            AND single.day < :last_day
            AND single.source = ANY(CAST(:sources AS text[]))
        UNION ALL
        SELECT held.category_id, count(*)
        FROM held
        GROUP BY held.category_id
    ) AS counted
    GROUP BY counted.category_id
),

paid AS (
    SELECT
        (
            SELECT coalesce(sum(payment_day.carts), 0)
            FROM payment_day
            WHERE
                payment_day.day >= :first_day
                AND payment_day.day < :last_day
                AND payment_day.source = ANY(CAST(:sources AS text[]))
        ) + (SELECT count(*) FROM broken) AS carts
)

SELECT
    category.name AS category,
    CAST(together.carts AS bigint) AS carts,
    CAST(alone.carts AS bigint) AS carts_of_other,
    CAST((SELECT alone.carts FROM alone INNER JOIN asked ON alone.category_id = asked.id) AS bigint)
        AS carts_of_category,
    CAST((SELECT paid.carts FROM paid) AS bigint) AS carts_paid
FROM together
INNER JOIN alone ON together.other_id = alone.category_id
INNER JOIN category ON together.other_id = category.id
ORDER BY together.carts DESC, category.name COLLATE "C"
LIMIT :limit;
