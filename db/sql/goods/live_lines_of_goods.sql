-- Select the live lines that put :goods_ids into carts; times are microseconds since 1970.
SELECT
    live_visit.goods_id,
    address.id AS address_id,
    CAST(extract(EPOCH FROM live_visit.occurred_at) * 1000000 AS bigint) AS occurred,
    live_visit.position,
    live_visit.request_id
FROM cart_item
INNER JOIN live_visit ON cart_item.cart_id = live_visit.cart_id AND cart_item.goods_id = live_visit.goods_id
INNER JOIN address ON live_visit.address = address.address AND address.variant = 0
WHERE cart_item.goods_id = ANY(CAST(:goods_ids AS bigint[])) AND live_visit.kind = 'cart';
