-- The staged visits that are not there yet, and their keys.
INSERT INTO visit (
    occurred_at,
    request_id,
    position,
    source,
    kind,
    address,
    country,
    category_id,
    product_id,
    user_id,
    cart_id,
    goods_id,
    amount,
    import_id,
    page_url
)
SELECT
    occurred_at,
    request_id,
    position,
    source,
    kind,
    address,
    country,
    category_id,
    product_id,
    user_id,
    cart_id,
    goods_id,
    amount,
    import_id,
    page_url
FROM visit_staging
ORDER BY occurred_at, request_id
ON CONFLICT DO NOTHING
RETURNING occurred_at, request_id;
