-- Insert the events whose ids are new, and a batch of their columns. Return the positions of the others, from 1.
-- No id stands twice.
-- Rows are inserted in the order of their ids, so that two batches may wait for each other but never deadlock.
WITH new_event AS (
    SELECT *
    FROM unnest(
        CAST(:event_ids AS uuid[]),
        CAST(:user_ids AS bigint[]),
        CAST(:event_types AS text[]),
        CAST(:times AS timestamptz[]),
        CAST(:properties AS text[])
    ) WITH ORDINALITY AS new_event (event_id, user_id, event_type, occurred_at, properties, position)
),

inserted AS (
    INSERT INTO event (event_id, user_id, event_type, occurred_at, properties)
    SELECT
        new_event.event_id,
        new_event.user_id,
        new_event.event_type,
        new_event.occurred_at,
        CAST(new_event.properties AS jsonb)
    FROM new_event
    ORDER BY new_event.event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id, user_id, event_type, occurred_at
),

batch AS (
    INSERT INTO event_batch (first_at, events, occurred, user_id, event_type)
    SELECT
        min(inserted.occurred_at),
        count(*),
        array_agg(inserted.occurred_at),
        array_agg(inserted.user_id),
        array_agg(inserted.event_type)
    FROM inserted
    HAVING count(*) > 0
)

SELECT new_event.position
FROM new_event
WHERE NOT EXISTS (SELECT FROM inserted WHERE inserted.event_id = new_event.event_id)
ORDER BY new_event.position;
