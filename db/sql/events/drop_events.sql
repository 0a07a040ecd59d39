-- Takes away the first :count events in [:since, :before). How many there were, and the time of the last.
WITH gone AS (
    DELETE FROM event
    USING (
        SELECT oldest.event_id
        FROM event AS oldest
        WHERE oldest.occurred_at >= :since AND oldest.occurred_at < :before
        ORDER BY oldest.occurred_at, oldest.event_id
        LIMIT :count
    ) AS old
    WHERE event.event_id = old.event_id
    RETURNING event.occurred_at
)

SELECT count(*) AS events, max(gone.occurred_at) AS last
FROM gone;
