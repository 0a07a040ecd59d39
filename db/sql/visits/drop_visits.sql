-- Takes away the first :count visits in [:since, :before), and tells what they were.
DELETE FROM visit
USING (
    SELECT
        oldest.occurred_at,
        oldest.request_id
    FROM visit AS oldest
    WHERE oldest.occurred_at >= :since AND oldest.occurred_at < :before
    ORDER BY oldest.occurred_at, oldest.request_id
    LIMIT :count
) AS old
WHERE visit.occurred_at = old.occurred_at AND visit.request_id = old.request_id
RETURNING
    visit.occurred_at,
    visit.request_id,
    visit.position,
    visit.source,
    visit.kind,
    host(visit.address) AS address,
    visit.country,
    visit.category_id,
    visit.product_id,
    visit.user_id,
    visit.cart_id,
    visit.goods_id,
    visit.amount,
    visit.import_id,
    visit.page_url;
