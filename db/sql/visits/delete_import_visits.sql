-- Takes away the visits of :import_id from :first to :last, both included, and tells what they were.
DELETE FROM visit
WHERE import_id = :import_id AND occurred_at BETWEEN :first AND :last
RETURNING
    occurred_at,
    request_id,
    position,
    source,
    kind,
    host(address) AS address,
    country,
    category_id,
    product_id,
    user_id,
    cart_id,
    goods_id,
    amount,
    import_id,
    page_url
