-- Delete carts :cart_ids with their goods and payments, and take them away from their buyers. Return what they counted
-- for, as cart_counts and cart_categories count: negative, to be added; and of buyers how many users more, or less, have
-- paid so many carts, as count_buyers counts them.
WITH sought AS MATERIALIZED (
    SELECT unnest(CAST(:cart_ids AS bigint[])) AS id
),

paid AS (
    DELETE FROM payment USING sought
    WHERE payment.cart_id = sought.id
    RETURNING
        payment.cart_id, payment.paid_at, date_bin('1 day', payment.paid_at, 'epoch') AS day, payment.source
),

item AS (
    DELETE FROM cart_item USING sought
    WHERE cart_item.cart_id = sought.id
    RETURNING cart_item.cart_id, cart_item.goods_id
),

opened AS (
    DELETE FROM cart USING sought
    WHERE cart.id = sought.id
    RETURNING cart.id, date_bin('1 day', cart.opened_at, 'epoch') AS day, cart.source, cart.is_bot, cart.user_id
),

bought AS MATERIALIZED (
    SELECT
        opened.user_id,
        count(*) FILTER (WHERE paid.source = 'log' AND NOT opened.is_bot) AS log,
        count(*) FILTER (WHERE paid.source <> 'log' AND NOT opened.is_bot) AS live,
        count(*) FILTER (WHERE paid.source = 'log' AND opened.is_bot) AS bot_log,
        count(*) FILTER (WHERE paid.source <> 'log' AND opened.is_bot) AS bot_live
    FROM paid
    INNER JOIN opened ON paid.cart_id = opened.id
    WHERE opened.user_id IS NOT NULL
    GROUP BY opened.user_id
),

emptied AS (
    DELETE FROM buyer USING bought
    WHERE
        buyer.user_id = bought.user_id
        AND (buyer.log, buyer.live, buyer.bot_log, buyer.bot_live)
        = (bought.log, bought.live, bought.bot_log, bought.bot_live)
    RETURNING buyer.log, buyer.live, buyer.bot_log, buyer.bot_live
),

lowered AS (
    UPDATE buyer SET
        log = buyer.log - bought.log,
        live = buyer.live - bought.live,
        bot_log = buyer.bot_log - bought.bot_log,
        bot_live = buyer.bot_live - bought.bot_live
    FROM bought
    WHERE
        buyer.user_id = bought.user_id
        AND (buyer.log, buyer.live, buyer.bot_log, buyer.bot_live)
        <> (bought.log, bought.live, bought.bot_log, bought.bot_live)
    RETURNING
        buyer.log,
        buyer.live,
        buyer.bot_log,
        buyer.bot_live,
        bought.log AS log_less,
        bought.live AS live_less,
        bought.bot_log AS bot_log_less,
        bought.bot_live AS bot_live_less
),

cart_category AS MATERIALIZED (
    SELECT DISTINCT
        paid.cart_id,
        paid.day,
        paid.source,
        opened.is_bot,
        product.category_id
    FROM paid
    INNER JOIN opened ON paid.cart_id = opened.id
    INNER JOIN item ON paid.cart_id = item.cart_id
    INNER JOIN goods ON item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
)

SELECT
    'cart_day' AS rollup,
    opened.day,
    opened.source,
    opened.is_bot,
    paid.cart_id IS NOT NULL AS is_paid,
    CAST(NULL AS int) AS category_id,
    CAST(NULL AS int) AS other_id,
    CAST(NULL AS bigint[]) AS purchases,
    -count(*) AS carts
FROM opened
LEFT JOIN paid ON opened.id = paid.cart_id
GROUP BY opened.day, opened.source, opened.is_bot, paid.cart_id IS NOT NULL
UNION ALL
SELECT
    'payment_day',
    paid.day,
    paid.source,
    opened.is_bot,
    NULL,
    CAST(NULL AS int),
    CAST(NULL AS int),
    CAST(NULL AS bigint[]),
    -count(*)
FROM paid
INNER JOIN opened ON paid.cart_id = opened.id
GROUP BY paid.day, paid.source, opened.is_bot
UNION ALL
SELECT
    'buyer',
    CAST(NULL AS timestamptz),
    NULL,
    NULL,
    NULL,
    CAST(NULL AS int),
    CAST(NULL AS int),
    each.purchases,
    sum(each.users)
FROM (
    SELECT ARRAY[emptied.log, emptied.live, emptied.bot_log, emptied.bot_live] AS purchases, -1 AS users FROM emptied
    UNION ALL
    SELECT ARRAY[lowered.log, lowered.live, lowered.bot_log, lowered.bot_live], 1 FROM lowered
    UNION ALL
    SELECT
        ARRAY[
            lowered.log + lowered.log_less,
            lowered.live + lowered.live_less,
            lowered.bot_log + lowered.bot_log_less,
            lowered.bot_live + lowered.bot_live_less
        ],
        -1
    FROM lowered
) AS each
GROUP BY each.purchases
UNION ALL
SELECT
    'paid_category_day',
    cart_category.day,
    cart_category.source,
    cart_category.is_bot,
    NULL,
    cart_category.category_id,
    CAST(NULL AS int),
    CAST(NULL AS bigint[]),
    -count(*)
FROM cart_category
GROUP BY cart_category.category_id, cart_category.day, cart_category.source, cart_category.is_bot
UNION ALL
SELECT
    'paid_pair_day',
    cart_category.day,
    cart_category.source,
    cart_category.is_bot,
    NULL,
    cart_category.category_id,
    other.category_id,
    CAST(NULL AS bigint[]),
    -count(*)
FROM cart_category
INNER JOIN cart_category AS other
    ON cart_category.cart_id = other.cart_id AND cart_category.category_id <> other.category_id
GROUP BY
    cart_category.category_id, cart_category.day, cart_category.source, cart_category.is_bot, other.category_id;
