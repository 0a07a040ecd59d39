-- Insert the categories :names that are new, by the SHA-256 of their names.
INSERT INTO category (name, name_sha256)
SELECT
    new.name,
    new.digest
FROM unnest(CAST(CAST(:names AS text) AS text[]), CAST(CAST(:digests AS text) AS bytea[])) AS new (name, digest)
WHERE NOT EXISTS (SELECT FROM category WHERE category.name_sha256 = new.digest)
ORDER BY new.digest
ON CONFLICT DO NOTHING;
