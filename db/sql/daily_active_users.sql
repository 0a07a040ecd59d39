-- How many users have events in [:since, :until) on each day of :tz, counting only events of :event_type, and only
-- those whose :property is one of :values, where these are given? By day; days without users are left out.
SELECT
    CAST(event.occurred_at AT TIME ZONE :tz AS date) AS day,
    count(DISTINCT event.user_id) AS users
FROM event
WHERE
    event.occurred_at >= :since
    AND event.occurred_at < :until
    AND (CAST(:event_type AS text) IS NULL OR event.event_type = :event_type)
    AND (
        CAST(:property AS text) IS NULL
        OR event.properties -> CAST(:property AS text) = ANY(CAST(:values AS jsonb[]))
    )
GROUP BY day
ORDER BY day;
