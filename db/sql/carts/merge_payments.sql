-- A cart is paid since its first success line, whichever of them is read first.
INSERT INTO payment AS known (cart_id, paid_at, position, source)
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
WHERE (excluded.paid_at, excluded.position) < (known.paid_at, known.position);
