-- Insert the products :names that are new, by the SHA-256 of their names and of their categories', which exist.
INSERT INTO product (category_id, name, name_sha256)
SELECT
    category.id,
    new.name,
    new.digest
FROM unnest(
    CAST(CAST(:categories AS text) AS bytea[]),
    CAST(CAST(:names AS text) AS text[]),
    CAST(CAST(:digests AS text) AS bytea[])
) AS new (category, name, digest)
INNER JOIN category ON new.category = category.name_sha256
WHERE
    NOT EXISTS (
        SELECT FROM product
        WHERE product.category_id = category.id AND product.name_sha256 = new.digest
    )
ORDER BY category.id, new.digest
ON CONFLICT DO NOTHING;
