-- Which of these events equal their stored rows? Their positions, from 1.
SELECT candidate.position
FROM unnest(
    CAST(:event_ids AS uuid[]),
    CAST(:user_ids AS bigint[]),
    CAST(:event_types AS text[]),
    CAST(:times AS timestamptz[]),
    CAST(:properties AS text[])
) WITH ORDINALITY AS candidate (event_id, user_id, event_type, occurred_at, properties, position)
INNER JOIN event ON candidate.event_id = event.event_id
WHERE
    event.user_id = candidate.user_id
    AND event.event_type = candidate.event_type
    AND event.occurred_at = candidate.occurred_at
    AND event.properties = CAST(candidate.properties AS jsonb)
ORDER BY candidate.position;
