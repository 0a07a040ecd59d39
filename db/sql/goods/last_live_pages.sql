-- Select the last live view of a product before each cart line, of its address; times are microseconds since 1970.
SELECT
    line.ordinal,
    viewed.product_id,
    CAST(extract(EPOCH FROM viewed.occurred_at) * 1000000 AS bigint) AS occurred,
    viewed.position,
    viewed.request_id
FROM unnest(CAST(:address_ids AS int[]), CAST(:times AS bigint[]), CAST(:positions AS bigint[]))
    WITH ORDINALITY AS line (address_id, occurred, position, ordinal)
INNER JOIN address ON line.address_id = address.id
CROSS JOIN LATERAL (
    SELECT
        live_visit.product_id,
        live_visit.occurred_at,
        live_visit.position,
        live_visit.request_id
    FROM live_visit
    WHERE
        live_visit.kind = 'product'
        AND live_visit.address = address.address
        AND (live_visit.occurred_at, live_visit.position)
        < (to_timestamp(0) + line.occurred * interval '1 microsecond', line.position)
    ORDER BY live_visit.occurred_at DESC, live_visit.position DESC, live_visit.request_id DESC
    LIMIT 1
) AS viewed;
