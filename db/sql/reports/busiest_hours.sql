-- Which clock hours of a zone have most requests in [:since, :until)? Busiest first; ties by time.
-- An hour is named by the instant at which it begins, so one that the clock repeats is two. The zone's clock is :ahead
-- seconds ahead of UTC in [:begins, :ends), in seconds since 1970, and an hour begins where such a span does, too.
SELECT
    to_timestamp(
        greatest(counted.begin_at, counted.quarter - (counted.quarter + 86400 + counted.ahead) % 3600)
    ) AS hour,
    CAST(sum(counted.requests) AS bigint) AS requests
FROM (
    SELECT
        CAST(extract(EPOCH FROM rollup.quarter) AS bigint) AS quarter,
        span.begin_at,
        span.ahead,
        rollup.requests
    FROM
        unnest(CAST(:begins AS bigint[]), CAST(:ends AS bigint[]), CAST(:ahead AS int[])) AS span (begin_at, end_at, ahead)
    INNER JOIN request_quarter AS rollup
        ON
            rollup.quarter >= greatest(to_timestamp(span.begin_at), :since)
            AND rollup.quarter < least(to_timestamp(span.end_at), :until)
    WHERE
        rollup.source = ANY(CAST(:sources AS text[]))
        AND rollup.is_bot = ANY(CAST(:bots AS boolean[]))
) AS counted
GROUP BY hour
ORDER BY requests DESC, hour
LIMIT :limit;
