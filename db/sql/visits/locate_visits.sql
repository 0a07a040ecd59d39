-- Gives :count visits of each :address without a country its :country, and tells what they were.
UPDATE visit SET country = found.country
FROM (
    SELECT
        lost.occurred_at,
        lost.request_id,
        known.country
    FROM unnest(CAST(CAST(:address AS text[]) AS inet[]), CAST(:country AS text[])) AS known (address, country)
    INNER JOIN visit AS lost ON known.address = lost.address AND lost.country IS NULL
    LIMIT :count
) AS found
WHERE visit.occurred_at = found.occurred_at AND visit.request_id = found.request_id
RETURNING
    visit.occurred_at,
    visit.source,
    visit.kind,
    visit.category_id,
    visit.country;
