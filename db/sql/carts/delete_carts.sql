-- Delete carts :cart_ids with their goods and payments. Return what is counted of them, each column as an array.
WITH sought AS MATERIALIZED (
    SELECT unnest(CAST(:cart_ids AS bigint[])) AS id
),

paid AS (
    DELETE FROM payment USING sought
    WHERE payment.cart_id = sought.id
    RETURNING payment.cart_id, payment.paid_at, payment.source
),

item AS (
    DELETE FROM cart_item USING sought
    WHERE cart_item.cart_id = sought.id
    RETURNING cart_item.cart_id, cart_item.goods_id
),

opened AS (
    DELETE FROM cart USING sought
    WHERE cart.id = sought.id
    RETURNING cart.id, cart.source, cart.is_bot, cart.opened_at, cart.user_id
)

SELECT
    each_cart.*,
    each_payment.*,
    each_item.*
FROM (
    SELECT
        array_send(array_agg(opened.id)) AS id,
        array_agg(opened.source) AS source,
        array_send(array_agg(CAST(opened.is_bot AS int))) AS is_bot,
        array_send(array_agg(opened.opened_at)) AS opened_at,
        array_send(array_agg(opened.user_id)) AS user_id
    FROM opened
) AS each_cart
CROSS JOIN (
    SELECT
        array_send(array_agg(paid.cart_id)) AS paid_id,
        array_send(array_agg(paid.paid_at)) AS paid_at,
        array_agg(paid.source) AS paid_source
    FROM paid
) AS each_payment
CROSS JOIN (
    SELECT
        array_send(array_agg(item.cart_id)) AS item_id,
        array_send(array_agg(item.goods_id)) AS goods_id
    FROM item
) AS each_item;
