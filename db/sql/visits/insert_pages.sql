-- Insert the pages that are new, by their :digests, and return the digests and ids of these.
INSERT INTO page (digest, url, kind, category_id, product_id)
SELECT *
FROM unnest(
    CAST(:digests AS bytea[]),
    CAST(:urls AS text[]),
    CAST(CAST(:kinds AS text[]) AS "char"[]),
    CAST(:category_ids AS int[]),
    CAST(:product_ids AS int[])
) AS new (digest, url, kind, category_id, product_id)
ORDER BY new.digest
ON CONFLICT DO NOTHING
RETURNING digest, id;
