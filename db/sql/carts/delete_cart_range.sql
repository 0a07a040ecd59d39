-- Delete all carts from :first to :last with their goods and payments. Return what is counted of them, as delete_carts
-- does: it is read from the same snapshot, which costs a third of having deleted rows returned.
WITH paid AS (
    DELETE FROM payment WHERE cart_id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
),

item AS (
    DELETE FROM cart_item WHERE cart_id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
),

opened AS (
    DELETE FROM cart WHERE id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
)

SELECT
    each_cart.*,
    each_payment.*,
    each_item.*
FROM (
    SELECT
        array_send(array_agg(id)) AS id,
        array_agg(source) AS source,
        array_send(array_agg(CAST(is_bot AS int))) AS is_bot,
        array_send(array_agg(opened_at)) AS opened_at,
        array_send(array_agg(user_id)) AS user_id
    FROM cart
    WHERE id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
) AS each_cart
CROSS JOIN (
    SELECT
        array_send(array_agg(cart_id)) AS paid_id,
        array_send(array_agg(paid_at)) AS paid_at,
        array_agg(source) AS paid_source
    FROM payment
    WHERE cart_id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
) AS each_payment
CROSS JOIN (
    SELECT
        array_send(array_agg(cart_id)) AS item_id,
        array_send(array_agg(goods_id)) AS goods_id
    FROM cart_item
    WHERE cart_id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
) AS each_item;
