-- Insert the referrers that are new, in the order of their digests, and return the digests and ids of these.
INSERT INTO referrer (url, digest, host)
SELECT *
FROM unnest(
    CAST(CAST(:url AS text) AS text[]),
    CAST(CAST(:digest AS text) AS bytea[]),
    CAST(CAST(:host AS text) AS text[])
) AS new (url, digest, host)
ORDER BY new.digest
ON CONFLICT DO NOTHING
RETURNING digest, id;
