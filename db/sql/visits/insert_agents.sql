-- Insert the agents that are new, in the order of their digests, and return what others ask of them.
INSERT INTO agent (agent, digest, browser, os, device, is_bot)
SELECT *
FROM unnest(
    CAST(CAST(:agent AS text) AS text[]),
    CAST(CAST(:digest AS text) AS bytea[]),
    CAST(CAST(:browser AS text) AS text[]),
    CAST(CAST(:os AS text) AS text[]),
    CAST(CAST(:device AS text) AS text[]),
    CAST(:is_bot AS boolean[])
) AS new (agent, digest, browser, os, device, is_bot)
WHERE NOT EXISTS (SELECT FROM agent WHERE agent.digest = new.digest)
ORDER BY new.digest
ON CONFLICT DO NOTHING
RETURNING digest, id, is_bot;
