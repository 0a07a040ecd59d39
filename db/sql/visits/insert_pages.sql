-- Insert the pages that are new, by their :digests, and return the digests and ids of these.
INSERT INTO page (digest, url, kind, category_id, product_id)
SELECT *
FROM unnest(
    CAST(CAST(:digests AS text) AS bytea[]),
    CAST(CAST(:urls AS text) AS text[]),
    CAST(CAST(:kinds AS text) AS "char"[]),
    CAST(CAST(:category_ids AS text) AS int[]),
    CAST(CAST(:product_ids AS text) AS int[])
) AS new (digest, url, kind, category_id, product_id)
ORDER BY new.digest
ON CONFLICT DO NOTHING
RETURNING digest, id;
