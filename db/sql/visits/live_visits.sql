-- Select the live visits of :request_ids, with the names of their categories and products.
SELECT
    visit.request_id,
    visit.occurred_at,
    visit.page_url,
    visit.user_id,
    visit.country,
    visit.source,
    visit.kind,
    category.name AS category,
    product.name AS product
FROM live_visit AS visit
LEFT JOIN category ON visit.category_id = category.id
LEFT JOIN product ON visit.product_id = product.id
WHERE visit.request_id = ANY(CAST(:request_ids AS text[])) AND visit.source <> 'log';
