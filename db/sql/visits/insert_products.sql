-- Products that are not there yet, by their category and the SHA-256 of their names.
INSERT INTO product (category_id, name, name_sha256)
SELECT
    new.category_id,
    new.name,
    new.digest
FROM unnest(CAST(:categories AS int[]), CAST(:names AS text[]), CAST(:digests AS bytea[]))
    AS new (category_id, name, digest)
WHERE
    NOT EXISTS (
        SELECT FROM product
        WHERE product.category_id = new.category_id AND product.name_sha256 = new.digest
    )
ORDER BY new.category_id, new.digest
ON CONFLICT DO NOTHING;
