-- Store the given events whose ids are new, and tell the others' places, from 1. Each id is given once.
-- They go in by the order of their ids, so that two batches wait for each other and never for good.
WITH given AS (
    SELECT *
    FROM unnest(
        CAST(:event_ids AS uuid[]),
        CAST(:user_ids AS bigint[]),
        CAST(:event_types AS text[]),
        CAST(:times AS timestamptz[]),
        CAST(:properties AS text[])
    ) WITH ORDINALITY AS given (event_id, user_id, event_type, occurred_at, properties, place)
),

inserted AS (
    INSERT INTO event (event_id, user_id, event_type, occurred_at, properties)
    SELECT given.event_id, given.user_id, given.event_type, given.occurred_at, CAST(given.properties AS jsonb)
    FROM given
    ORDER BY given.event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
)

SELECT given.place
FROM given
WHERE NOT EXISTS (SELECT FROM inserted WHERE inserted.event_id = given.event_id)
ORDER BY given.place;
