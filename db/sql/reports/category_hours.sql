-- How often are :category's pages of :kinds viewed in each hour of :tz's day, over [:since, :until)? By hour.
SELECT
    CAST(extract(HOUR FROM rollup.quarter AT TIME ZONE :tz) AS int) AS hour_of_day,
    CAST(sum(rollup.requests) AS bigint) AS views
FROM category_quarter AS rollup
WHERE
    rollup.category_id = (SELECT category.id FROM category WHERE category.name_sha256 = :category)
    AND rollup.quarter >= :since
    AND rollup.quarter < :until
    AND rollup.kind = ANY(CAST(:kinds AS text[]))
    AND rollup.source = ANY(CAST(:sources AS text[]))
    AND rollup.is_bot = ANY(CAST(:bots AS boolean[]))
GROUP BY hour_of_day
ORDER BY hour_of_day;
