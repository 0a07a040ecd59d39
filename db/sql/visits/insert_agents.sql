-- Insert the agents that are new, in the order of their digests.
INSERT INTO agent (agent, digest, browser, os, device, is_bot)
SELECT *
FROM unnest(
    CAST(:agent AS text[]),
    CAST(:digest AS bytea[]),
    CAST(:browser AS text[]),
    CAST(:os AS text[]),
    CAST(:device AS text[]),
    CAST(:is_bot AS boolean[])
) AS new (agent, digest, browser, os, device, is_bot)
WHERE NOT EXISTS (SELECT FROM agent WHERE agent.digest = new.digest)
ORDER BY new.digest
ON CONFLICT DO NOTHING;
