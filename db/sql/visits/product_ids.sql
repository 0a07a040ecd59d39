-- The ids of products, by their category and the SHA-256 of their names.
SELECT
    product.category_id,
    product.id,
    product.name
FROM unnest(CAST(:categories AS int[]), CAST(:digests AS bytea[])) AS asked (category_id, digest)
INNER JOIN product ON asked.category_id = product.category_id AND asked.digest = product.name_sha256;
