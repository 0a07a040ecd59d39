-- Merge new success lines into payments: a cart is paid since its first one, in whatever order they are read.
INSERT INTO payment (cart_id, paid_at, position, source)
SELECT *
FROM unnest(
    CAST(:cart_id AS bigint[]),
    CAST(:paid_at AS timestamptz[]),
    CAST(:position AS bigint[]),
    CAST(:source AS text[])
) AS new (cart_id, paid_at, position, source)
ORDER BY new.cart_id
ON CONFLICT (cart_id) DO UPDATE SET
    paid_at = excluded.paid_at, position = excluded.position, source = excluded.source
WHERE (excluded.paid_at, excluded.position) < (payment.paid_at, payment.position);
