-- Which of the given events stand in the table exactly so? Their places, from 1.
SELECT given.place
FROM unnest(
    CAST(:event_ids AS uuid[]),
    CAST(:user_ids AS bigint[]),
    CAST(:event_types AS text[]),
    CAST(:times AS timestamptz[]),
    CAST(:properties AS text[])
) WITH ORDINALITY AS given (event_id, user_id, event_type, occurred_at, properties, place)
INNER JOIN event ON given.event_id = event.event_id
WHERE
    event.user_id = given.user_id
    AND event.event_type = given.event_type
    AND event.occurred_at = given.occurred_at
    AND event.properties = CAST(given.properties AS jsonb)
ORDER BY given.place;
