-- Which types have most events in [:since, :until), and of how many users? Most first; ties by name.
-- Users are counted by grouping twice: count(DISTINCT) would sort all events.
SELECT
    by_user.event_type,
    CAST(sum(by_user.events) AS bigint) AS events,
    count(*) AS users
FROM (
    SELECT event.event_type, event.user_id, count(*) AS events
    FROM event
    WHERE event.occurred_at >= :since AND event.occurred_at < :until
    GROUP BY event.event_type, event.user_id
) AS by_user
GROUP BY by_user.event_type
ORDER BY events DESC, by_user.event_type COLLATE "C"
LIMIT :limit;
