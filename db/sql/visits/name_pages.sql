-- Give ids to the products (:category, :product) that have none yet. Their categories have one.
INSERT INTO product (category_id, name, name_sha256)
SELECT category.id, page.product, page.product_sha256
FROM unnest(CAST(:category AS bytea[]), CAST(:product AS text[]), CAST(:product_sha256 AS bytea[]))
    AS page (category, product, product_sha256)
INNER JOIN category ON page.category = category.name_sha256
ORDER BY category.id, page.product_sha256
ON CONFLICT DO NOTHING;
