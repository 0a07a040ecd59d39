-- Select the live lines that put goods into carts, of each address and not before its time, in microseconds since 1970.
SELECT
    live_visit.goods_id,
    page.address_id,
    CAST(extract(EPOCH FROM live_visit.occurred_at) * 1000000 AS bigint) AS occurred,
    live_visit.position,
    live_visit.request_id
FROM unnest(CAST(:address_ids AS int[]), CAST(:times AS bigint[])) AS page (address_id, since)
INNER JOIN address ON page.address_id = address.id
INNER JOIN live_visit
    ON
        address.address = live_visit.address
        AND live_visit.kind = 'cart'
        AND live_visit.occurred_at >= to_timestamp(0) + page.since * interval '1 microsecond';
