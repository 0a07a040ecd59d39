-- Insert the keys that no stored visit has, and no earlier chunk of the dry run.
INSERT INTO trial_key
SELECT
    key.occurred_at,
    key.request_id
FROM unnest(CAST(:occurred_at AS timestamptz[]), CAST(:request_id AS text[])) AS key (occurred_at, request_id)
WHERE
    NOT EXISTS (
        SELECT FROM visit
        WHERE (visit.occurred_at, visit.request_id) = (key.occurred_at, key.request_id)
    )
ON CONFLICT DO NOTHING;
