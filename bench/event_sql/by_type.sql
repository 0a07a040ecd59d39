SELECT grouped.key, CAST(sum(grouped.events) AS bigint) AS events, count(*) AS users
FROM (
    SELECT event.event_type AS key, event.user_id, count(*) AS events
    FROM event
    GROUP BY key, event.user_id
) AS grouped
GROUP BY grouped.key
ORDER BY events DESC, grouped.key
LIMIT 51;
