-- The visits that name one of :cart_ids. The user is who pays: a live visit's own user is who visits.
SELECT
    occurred_at,
    request_id,
    position,
    source,
    kind,
    host(address) AS address,
    country,
    category_id,
    product_id,
    CASE WHEN source = 'log' THEN user_id ELSE buyer_id END AS user_id,
    cart_id,
    goods_id,
    amount,
    import_id,
    page_url
FROM visit
WHERE cart_id = ANY(CAST(:cart_ids AS bigint[]))
