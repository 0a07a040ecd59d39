-- Which categories are in the carts of a period that hold :category too? Most carts first; ties by name. Its whole days
-- [:first_day, :last_day) come from the roll-ups. Of the partial days at both ends, :other_paid carts were paid,
-- :holding_carts hold :holding_ids, :together_carts hold :together_ids and :category (service/columns/cart_days.py).
WITH base AS (
    SELECT category.id FROM category WHERE category.name_sha256 = :category
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
        SELECT other.category_id, other.carts
        FROM unnest(CAST(:together_ids AS int[]), CAST(:together_carts AS bigint[])) AS other (category_id, carts)
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
        SELECT other.category_id, other.carts
        FROM unnest(CAST(:holding_ids AS int[]), CAST(:holding_carts AS bigint[])) AS other (category_id, carts)
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
        ) + CAST(:other_paid AS bigint) AS carts
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
