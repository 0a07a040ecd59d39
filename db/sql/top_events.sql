-- Which types have most events in [:since, :until), and of how many users? Most first; ties by name.
SELECT
    event.event_type,
    count(*) AS events,
    count(DISTINCT event.user_id) AS users
FROM event
WHERE event.occurred_at >= :since AND event.occurred_at < :until
GROUP BY event.event_type
ORDER BY events DESC, event.event_type COLLATE "C"
LIMIT :limit;
