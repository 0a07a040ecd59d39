-- Which clock hours of :tz have most requests in [:since, :until)? Busiest first; ties by time.
-- An hour is named by the instant at which it begins, so one that the clock repeats is two.
SELECT
    date_trunc('hour', request_quarter.quarter, :tz) AS hour,
    CAST(sum(request_quarter.requests) AS bigint) AS requests
FROM request_quarter
WHERE
    request_quarter.quarter >= :since
    AND request_quarter.quarter < :until
    AND request_quarter.source = ANY(CAST(:sources AS text[]))
    AND request_quarter.is_bot = ANY(CAST(:bots AS boolean[]))
GROUP BY hour
ORDER BY requests DESC, hour
LIMIT :limit;
