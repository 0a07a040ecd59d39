-- Insert the referrers that are new, in the order of their digests.
INSERT INTO referrer (url, digest, host)
SELECT *
FROM unnest(CAST(:url AS text[]), CAST(:digest AS bytea[]), CAST(:host AS text[])) AS new (url, digest, host)
WHERE NOT EXISTS (SELECT FROM referrer WHERE referrer.digest = new.digest)
ORDER BY new.digest
ON CONFLICT DO NOTHING;
