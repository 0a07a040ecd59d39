-- From which countries do most requests of [:since, :until) for :category's pages of :kinds come? All of them,
-- most first; ties by code. Whole days [:first_day, :last_day) come from the roll-up, partial days from the live
-- visits; those in parts are added from their columns (service/reports/partial_days.py).
SELECT counted.country, CAST(sum(counted.requests) AS bigint) AS requests
FROM (
    SELECT rollup.country, rollup.requests
    FROM category_country_day AS rollup
    WHERE
        rollup.category_id = (SELECT category.id FROM category WHERE category.name_sha256 = :category)
        AND rollup.day >= :first_day
        AND rollup.day < :last_day
        AND rollup.kind = ANY(CAST(:kinds AS text[]))
        AND rollup.source = ANY(CAST(:sources AS text[]))
        AND rollup.is_bot = ANY(CAST(:bots AS boolean[]))
    UNION ALL
    SELECT visit.country, count(*) AS requests
    FROM live_visit AS visit
    WHERE
        visit.category_id = (SELECT category.id FROM category WHERE category.name_sha256 = :category)
        AND (
            (visit.occurred_at >= :since AND visit.occurred_at < :first_day)
            OR (visit.occurred_at >= :last_day AND visit.occurred_at < :until)
        )
        AND visit.country IS NOT NULL
        AND visit.kind = ANY(CAST(:kinds AS text[]))
        AND visit.source = ANY(CAST(:sources AS text[]))
        AND visit.is_bot = ANY(CAST(:bots AS boolean[]))
    GROUP BY visit.country
) AS counted
GROUP BY counted.country
ORDER BY requests DESC, counted.country;
