-- Select the ids of products, by the ids of their categories and the SHA-256 of their names.
SELECT
    product.category_id,
    product.id,
    product.name
FROM unnest(CAST(CAST(:categories AS text) AS int[]), CAST(CAST(:digests AS text) AS bytea[]))
    AS sought (category_id, digest)
INNER JOIN product ON sought.category_id = product.category_id AND sought.digest = product.name_sha256;
