-- From which countries do most visitors (distinct addresses) of [:since, :until) come? All, most first; ties by code.
-- Distinct addresses do not add up over periods, so they are counted from the visits.
SELECT visit.country, count(DISTINCT visit.address) AS visitors
FROM visit
WHERE
    visit.occurred_at >= :since
    AND visit.occurred_at < :until
    AND visit.country IS NOT NULL
    AND visit.source = ANY(CAST(:sources AS text[]))
GROUP BY visit.country
ORDER BY visitors DESC, visit.country;
