-- Sets the :country of each :address on up to :count visits that have none, and returns them.
UPDATE visit SET country = found.country
FROM (
    SELECT
        without_country.occurred_at,
        without_country.request_id,
        known.country
    FROM unnest(CAST(CAST(:address AS text[]) AS inet[]), CAST(:country AS text[])) AS known (address, country)
    INNER JOIN visit AS without_country
        ON known.address = without_country.address AND without_country.country IS NULL
    LIMIT :count
) AS found
WHERE visit.occurred_at = found.occurred_at AND visit.request_id = found.request_id
RETURNING
    visit.occurred_at,
    visit.source,
    visit.kind,
    visit.category_id,
    visit.country;
