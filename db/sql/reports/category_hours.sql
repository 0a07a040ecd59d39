-- How often are :category's pages of :kinds viewed in each hour of a zone's day, over [:since, :until)? By hour.
-- The zone's clock is :ahead seconds ahead of UTC in [:begins, :ends), in seconds since 1970.
SELECT
    CAST((clock.since_1970 + clock.ahead) / 3600 % 24 AS int) AS hour_of_day,
    CAST(sum(clock.requests) AS bigint) AS views
FROM (
    SELECT
        CAST(extract(EPOCH FROM rollup.quarter) AS bigint) + 86400 AS since_1970, -- and a day: none is negative
        span.ahead,
        rollup.requests
    FROM
        unnest(CAST(:begins AS bigint[]), CAST(:ends AS bigint[]), CAST(:ahead AS int[])) AS span (begin_at, end_at, ahead)
    INNER JOIN category_quarter AS rollup
        ON
            rollup.quarter >= greatest(to_timestamp(span.begin_at), :since)
            AND rollup.quarter < least(to_timestamp(span.end_at), :until)
    WHERE
        rollup.category_id = (SELECT category.id FROM category WHERE category.name_sha256 = :category)
        AND rollup.kind = ANY(CAST(:kinds AS text[]))
        AND rollup.source = ANY(CAST(:sources AS text[]))
        AND rollup.is_bot = ANY(CAST(:bots AS boolean[]))
) AS clock
GROUP BY hour_of_day
ORDER BY hour_of_day;
