-- Delete the first :count events in [:since, :before). Return how many there were, and the time of the last.
WITH deleted AS (
    DELETE FROM event
    USING (
        SELECT oldest.event_id
        FROM event AS oldest
        WHERE oldest.occurred_at >= :since AND oldest.occurred_at < :before
        ORDER BY oldest.occurred_at, oldest.event_id
        LIMIT :count
    ) AS dropped
    WHERE event.event_id = dropped.event_id
    RETURNING event.occurred_at
)

SELECT count(*) AS events, max(deleted.occurred_at) AS last
FROM deleted;
