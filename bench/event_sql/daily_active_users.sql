-- How many users have events in [:since, :until) on each day of :tz, counting only events of :event_type, and only
-- those whose :property is one of :values, where these are given? By day; days without users are left out.
-- Users are counted by grouping twice: count(DISTINCT) would sort all events.
SELECT active.day, count(*) AS users
FROM (
    SELECT DISTINCT CAST(event.occurred_at AT TIME ZONE :tz AS date) AS day, event.user_id
    FROM event
    WHERE
        event.occurred_at >= :since
        AND event.occurred_at < :until
        AND (CAST(:event_type AS text) IS NULL OR event.event_type = :event_type)
        AND (
            CAST(:property AS text) IS NULL
            OR event.properties -> CAST(:property AS text) = ANY(CAST(:values AS jsonb[]))
        )
) AS active
GROUP BY active.day
ORDER BY active.day;
