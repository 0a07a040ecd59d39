-- Which categories are in the carts paid in [:since, :until) that hold :category too? Most carts first; ties by name.
-- Whole days [:first_day, :last_day) come from the roll-ups, the partial days at both ends from the carts.
WITH base AS (
    SELECT category.id FROM category WHERE category.name_sha256 = :category
),

partial_day_cart AS (
    SELECT payment.cart_id
    FROM payment
    INNER JOIN cart ON payment.cart_id = cart.id
    WHERE
        (
            (payment.paid_at >= :since AND payment.paid_at < :first_day)
            OR (payment.paid_at >= :last_day AND payment.paid_at < :until)
        )
        AND payment.source = ANY(CAST(:sources AS text[]))
        AND cart.is_bot = ANY(CAST(:bots AS boolean[]))
),

cart_category AS (
    SELECT DISTINCT partial_day_cart.cart_id, product.category_id
    FROM partial_day_cart
    INNER JOIN cart_item ON partial_day_cart.cart_id = cart_item.cart_id
    INNER JOIN goods ON cart_item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
),

pair_total AS (
    SELECT counted.other_id, sum(counted.carts) AS carts
    FROM (
        SELECT pair.other_id, pair.carts
        FROM paid_pair_day AS pair
        WHERE
            pair.category_id = (SELECT base.id FROM base)
            AND pair.day >= :first_day
            AND pair.day < :last_day
            AND pair.source = ANY(CAST(:sources AS text[]))
            AND pair.is_bot = ANY(CAST(:bots AS boolean[]))
        UNION ALL
        SELECT other.category_id, count(*)
        FROM cart_category AS this
        INNER JOIN cart_category AS other ON this.cart_id = other.cart_id AND this.category_id <> other.category_id
        WHERE this.category_id = (SELECT base.id FROM base)
        GROUP BY other.category_id
    ) AS counted
    GROUP BY counted.other_id
),

category_total AS (
    SELECT counted.category_id, sum(counted.carts) AS carts
    FROM (
        SELECT single.category_id, single.carts
        FROM paid_category_day AS single
        WHERE
            single.category_id IN (SELECT pair_total.other_id FROM pair_total UNION ALL SELECT base.id FROM base)
            AND single.day >= :first_day
            AND single.day < :last_day
            AND single.source = ANY(CAST(:sources AS text[]))
            AND single.is_bot = ANY(CAST(:bots AS boolean[]))
        UNION ALL
        SELECT cart_category.category_id, count(*)
        FROM cart_category
        GROUP BY cart_category.category_id
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
                AND payment_day.is_bot = ANY(CAST(:bots AS boolean[]))
        ) + (SELECT count(*) FROM partial_day_cart) AS carts
)

SELECT
    category.name AS category,
    CAST(pair_total.carts AS bigint) AS carts,
    CAST(category_total.carts AS bigint) AS carts_of_other,
    CAST(
        (SELECT category_total.carts FROM category_total INNER JOIN base ON category_total.category_id = base.id)
        AS bigint
    ) AS carts_of_category,
    CAST((SELECT paid.carts FROM paid) AS bigint) AS carts_paid
FROM pair_total
INNER JOIN category_total ON pair_total.other_id = category_total.category_id
INNER JOIN category ON pair_total.other_id = category.id
ORDER BY pair_total.carts DESC, category.name COLLATE "C"
LIMIT :limit;
