-- From which countries do most requests of [:since, :until) come? All of them, most first; ties by code.
-- Whole days [:first_day, :last_day) come from the roll-up, the partial days at both ends from the live visits;
-- those in parts are added from their columns (service/reports/partial_days.py).
SELECT counted.country, CAST(sum(counted.requests) AS bigint) AS requests
FROM (
    SELECT country_day.country, country_day.requests
    FROM country_day
    WHERE
        country_day.day >= :first_day
        AND country_day.day < :last_day
        AND country_day.source = ANY(CAST(:sources AS text[]))
        AND country_day.is_bot = ANY(CAST(:bots AS boolean[]))
    UNION ALL
    SELECT visit.country, count(*) AS requests
    FROM live_visit AS visit
    WHERE
        (
            (visit.occurred_at >= :since AND visit.occurred_at < :first_day)
            OR (visit.occurred_at >= :last_day AND visit.occurred_at < :until)
        )
        AND visit.country IS NOT NULL
        AND visit.source = ANY(CAST(:sources AS text[]))
        AND visit.is_bot = ANY(CAST(:bots AS boolean[]))
    GROUP BY visit.country
) AS counted
GROUP BY counted.country
ORDER BY requests DESC, counted.country;
