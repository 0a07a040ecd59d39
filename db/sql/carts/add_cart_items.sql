-- Add goods to carts. Amounts of the same goods in a cart add up.
INSERT INTO cart_item (cart_id, goods_id, amount)
SELECT *
FROM unnest(CAST(:cart_id AS bigint[]), CAST(:goods_id AS bigint[]), CAST(:amount AS numeric[]))
    AS new (cart_id, goods_id, amount)
ORDER BY new.cart_id, new.goods_id
ON CONFLICT (cart_id, goods_id) DO UPDATE SET amount = cart_item.amount + excluded.amount;
