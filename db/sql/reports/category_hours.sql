-- How often are :category's pages of :kinds viewed in each hour of a zone's day, over [:since, :until)? By hour.
-- The zone's clock is :ahead seconds ahead of UTC in spans whose whole quarter hours lie in [:firsts, :lasts), in seconds
-- since 1970. Of the other quarter hours, :other_counts are the views of :other_hours.
SELECT
    counted.hour_of_day,
    CAST(sum(counted.views) AS bigint) AS views
FROM (
    SELECT
        CAST((clock.since_1970 + clock.ahead) / 3600 % 24 AS bigint) AS hour_of_day,
        clock.views
    FROM (
        SELECT
            CAST(extract(EPOCH FROM rollup.quarter) AS bigint) + 86400 AS since_1970, -- and a day: none is negative
            span.ahead,
            rollup.requests AS views
        FROM
            unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[]), CAST(:ahead AS int[]))
                AS span (first_at, last_at, ahead)
        INNER JOIN category_quarter AS rollup
            ON
                rollup.quarter >= greatest(to_timestamp(span.first_at), :since)
                AND rollup.quarter < least(to_timestamp(span.last_at), :until)
        WHERE
            rollup.category_id = (SELECT category.id FROM category WHERE category.name_sha256 = :category)
            AND rollup.kind = ANY(CAST(:kinds AS text[]))
            AND rollup.source = ANY(CAST(:sources AS text[]))
            AND rollup.is_bot = ANY(CAST(:bots AS boolean[]))
    ) AS clock
    UNION ALL
    SELECT other.hour_of_day, other.views
    FROM unnest(CAST(:other_hours AS bigint[]), CAST(:other_counts AS bigint[])) AS other (hour_of_day, views)
) AS counted
GROUP BY counted.hour_of_day
ORDER BY counted.hour_of_day;
