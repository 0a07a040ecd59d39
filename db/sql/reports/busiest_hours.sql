-- Which clock hours of a zone have most requests in [:since, :until)? Busiest first; ties by time.
-- An hour is named by the instant at which it begins, so one that the clock repeats is two. The zone's clock is :ahead
-- seconds ahead of UTC from :begins on, in seconds since 1970, and an hour begins there, too; whole quarter hours of that
-- time lie in [:firsts, :lasts). Of the others, :other_counts are the requests of :other_hours.
SELECT
    to_timestamp(counted.hour) AS hour,
    CAST(sum(counted.requests) AS bigint) AS requests
FROM (
    SELECT
        greatest(quarter.begin_at, quarter.since_1970 - (quarter.since_1970 + 86400 + quarter.ahead) % 3600) AS hour,
        quarter.requests
    FROM (
        SELECT
            CAST(extract(EPOCH FROM rollup.quarter) AS bigint) AS since_1970,
            span.begin_at,
            span.ahead,
            rollup.requests
        FROM
            unnest(
                CAST(:begins AS bigint[]), CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[]), CAST(:ahead AS int[])
            ) AS span (begin_at, first_at, last_at, ahead)
        INNER JOIN request_quarter AS rollup
            ON
                rollup.quarter >= greatest(to_timestamp(span.first_at), :since)
                AND rollup.quarter < least(to_timestamp(span.last_at), :until)
        WHERE
            rollup.source = ANY(CAST(:sources AS text[]))
            AND rollup.is_bot = ANY(CAST(:bots AS boolean[]))
    ) AS quarter
    UNION ALL
    SELECT other.hour, other.requests
    FROM unnest(CAST(:other_hours AS bigint[]), CAST(:other_counts AS bigint[])) AS other (hour, requests)
) AS counted
GROUP BY counted.hour
ORDER BY requests DESC, counted.hour
LIMIT :limit;
